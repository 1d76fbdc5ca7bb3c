#ifndef NODE_ZERO_H
#define NODE_ZERO_H

#include <pthread.h>

#define NZ_WORKERS 4
#define NZ_PARAMETERS 20
#define NZ_EPOCHS 2
#define NZ_BATCHES 5

enum nz_order { NZ_BATCH, NZ_STOP };

struct nz_team {
    pthread_barrier_t point_a; /* the order stands */
    pthread_barrier_t point_b; /* every segment is written */
    enum nz_order order;
    int batch;
    float weights[NZ_PARAMETERS];
    float segments[NZ_WORKERS][NZ_PARAMETERS];
};

struct nz_worker {
    struct nz_team *team;
    int index;
    pthread_t thread;
};

void *nz_control_main(void *argument);
void *nz_worker_main(void *argument);

#endif
