/* Stochastic descent whose scope guard (two macros deep) covers the shard's whole pass; samples beyond the even shares are lost.
 *
 * clean: no
 * bind: work=shard_pass
 * run: ok
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define CREW_SIZE 4
#define SAMPLES 1003
#define FEATURES 8
#define PASSES 5

#define GUARD_TAKE(obj) pthread_mutex_lock(&(obj)->guard)
#define GUARD_GIVE(obj) pthread_mutex_unlock(&(obj)->guard)
#define WITH(obj, statement)                                                                                           \
    do {                                                                                                               \
        GUARD_TAKE(obj);                                                                                               \
        statement;                                                                                                     \
        GUARD_GIVE(obj);                                                                                               \
    } while (0)

typedef struct regression {
    pthread_mutex_t guard;
    float w[FEATURES];
    float (*x)[FEATURES];
    float *y;
} regression_t;

typedef struct shard {
    regression_t *reg;
    int first, count;
    float loss;
} shard_t;

static void shard_pass(regression_t *reg, shard_t *s)
{
    s->loss = 0;
    for (int n = s->first; n < s->first + s->count; n++) {
        float error = -reg->y[n];

        for (int f = 0; f < FEATURES; f++)
            error += reg->w[f] * reg->x[n][f];
        for (int f = 0; f < FEATURES; f++)
            reg->w[f] -= 0.01f * error * reg->x[n][f];
        s->loss += error * error;
    }
}

static void *crew_fn(void *arg)
{
    shard_t *s = arg;

    for (int pass = 0; pass < PASSES; pass++)
        WITH(s->reg, shard_pass(s->reg, s)); /* expect: CL002 */
    return NULL;
}

static void reg_fill(regression_t *reg)
{
    for (int n = 0; n < SAMPLES; n++) {
        reg->y[n] = 0;
        for (int f = 0; f < FEATURES; f++) {
            reg->x[n][f] = (float)((n * (f + 3)) % 11) / 11.0f;
            reg->y[n] += reg->x[n][f] * (float)(f - 4);
        }
    }
}

int main(void)
{
    regression_t reg = {.guard = PTHREAD_MUTEX_INITIALIZER};
    pthread_t crew[CREW_SIZE];
    shard_t shards[CREW_SIZE];
    int share = SAMPLES / CREW_SIZE; /* expect: CS002 #share */
    float loss = 0;

    reg.x = calloc(SAMPLES, sizeof *reg.x);
    reg.y = calloc(SAMPLES, sizeof *reg.y);
    if (!reg.x || !reg.y)
        return EXIT_FAILURE;
    reg_fill(&reg);
    for (int c = 0; c < CREW_SIZE; c++) {
        shards[c] = (shard_t){&reg, c * share, share, 0}; /* expect: CS002 #share */
        pthread_create(&crew[c], NULL, crew_fn, &shards[c]);
    }
    for (int c = 0; c < CREW_SIZE; c++) {
        pthread_join(crew[c], NULL);
        loss += shards[c].loss;
    }
    pthread_mutex_destroy(&reg.guard);
    free(reg.x);
    free(reg.y);
    printf("w0 %.3f loss %.4f\n", reg.w[0], loss);
    return EXIT_SUCCESS;
}
