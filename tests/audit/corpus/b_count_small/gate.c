#include "gate.h"

int gate_open(struct gate *gate, unsigned parties)
{
    return pthread_barrier_init(&gate->barrier, NULL, parties); /* expect: CB002 #1 */
}

void gate_cross(struct gate *gate)
{
    pthread_barrier_wait(&gate->barrier);
}

void gate_close(struct gate *gate)
{
    pthread_barrier_destroy(&gate->barrier);
}
