#include "node_zero.h"

static void process_batch(const struct nz_team *team, float *segment, int index)
{
    for (int p = 0; p < NZ_PARAMETERS; p++) {
        float target = (float)((p * 3 + team->batch + index) % 7) / 7.0f;
        segment[p] = (team->weights[p] - target) / NZ_WORKERS;
    }
}

void *nz_worker_main(void *argument)
{
    struct nz_worker *me = argument;
    struct nz_team *team = me->team;

    for (;;) {
        pthread_barrier_wait(&team->point_a);
        if (team->order == NZ_STOP)
            break;
        process_batch(team, team->segments[me->index], me->index);
        pthread_barrier_wait(&team->point_b);
    }
    return NULL;
}
