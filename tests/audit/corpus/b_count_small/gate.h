#ifndef GATE_H
#define GATE_H

#include <pthread.h>

struct gate {
    pthread_barrier_t barrier;
};

int gate_open(struct gate *gate, unsigned parties);
void gate_cross(struct gate *gate);
void gate_close(struct gate *gate);

#endif
