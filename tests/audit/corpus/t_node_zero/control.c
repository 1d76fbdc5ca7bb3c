#include "node_zero.h"

static void sum_segments(const struct nz_team *team, float *sum)
{
    for (int p = 0; p < NZ_PARAMETERS; p++) {
        sum[p] = 0.0f;
        for (int w = 0; w < NZ_WORKERS; w++)
            sum[p] += team->segments[w][p];
    }
}

static float clip(float value)
{
    if (value > 1.0f)
        return 1.0f;
    return value < -1.0f ? -1.0f : value;
}

static void run_batch(struct nz_team *team, int batch)
{
    float sum[NZ_PARAMETERS];

    team->order = NZ_BATCH;
    team->batch = batch;
    pthread_barrier_wait(&team->point_a);
    pthread_barrier_wait(&team->point_b);
    sum_segments(team, sum);
    for (int p = 0; p < NZ_PARAMETERS; p++)
        team->weights[p] -= 0.1f * clip(sum[p]);
}

/* Node zero: gives the orders, never processes a batch itself. */
void *nz_control_main(void *argument)
{
    struct nz_team *team = argument;
    for (int epoch = 0; epoch < NZ_EPOCHS; epoch++)
        for (int batch = 0; batch < NZ_BATCHES; batch++)
            run_batch(team, epoch * NZ_BATCHES + batch);
    team->order = NZ_STOP;
    pthread_barrier_wait(&team->point_a);
    return NULL;
}
