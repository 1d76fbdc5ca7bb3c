/* Monte-Carlo estimate in rounds, with POSIX barriers or (where they are missing) one made of mutex and condition.
 *
 * clean: yes
 * bind: work=throw_darts
 * run: ok
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>

#define THROWERS 4
#define ROUNDS 5
#define DARTS 2000

#ifdef NO_POSIX_BARRIER
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    unsigned parties;
    unsigned arrived;
    unsigned long generation;
} gate_t;

static void gate_init(gate_t *gate, unsigned parties)
{
    pthread_mutex_init(&gate->lock, NULL);
    pthread_cond_init(&gate->opened, NULL);
    gate->parties = parties;
    gate->arrived = 0;
    gate->generation = 0;
}

static void gate_pass(gate_t *gate)
{
    pthread_mutex_lock(&gate->lock);
    unsigned long generation = gate->generation;
    if (++gate->arrived == gate->parties) {
        gate->arrived = 0;
        gate->generation++;
        pthread_cond_broadcast(&gate->opened);
    } else {
        while (generation == gate->generation)
            pthread_cond_wait(&gate->opened, &gate->lock);
    }
    pthread_mutex_unlock(&gate->lock);
}

static void gate_destroy(gate_t *gate)
{
    pthread_cond_destroy(&gate->opened);
    pthread_mutex_destroy(&gate->lock);
}
#else
typedef pthread_barrier_t gate_t;
#define gate_init(gate, parties) pthread_barrier_init((gate), NULL, (parties))
#define gate_pass(gate) pthread_barrier_wait(gate)
#define gate_destroy(gate) pthread_barrier_destroy(gate)
#endif

static gate_t round_over;
static long hits[THROWERS];
static long history[ROUNDS];

static long throw_darts(uint32_t *state)
{
    long inside = 0;
    for (int i = 0; i < DARTS; i++) {
        *state = *state * 1664525u + 1013904223u;
        double x = (*state >> 8) / 16777216.0;
        *state = *state * 1664525u + 1013904223u;
        double y = (*state >> 8) / 16777216.0;
        inside += x * x + y * y < 1.0;
    }
    return inside;
}

static void *thrower(void *argument)
{
    const int self = *(int *)argument;
    uint32_t state = 2463534242u + (uint32_t)self;
    for (int round = 0; round < ROUNDS; round++) {
        hits[self] = throw_darts(&state);
        gate_pass(&round_over);
        gate_pass(&round_over);
    }
    return NULL;
}

static void *referee(void *argument)
{
    (void)argument;
    for (int round = 0; round < ROUNDS; round++) {
        gate_pass(&round_over);
        for (int i = 0; i < THROWERS; i++)
            history[round] += hits[i];
        gate_pass(&round_over);
    }
    return NULL;
}

int main(void)
{
    pthread_t judge, throwers[THROWERS];
    int numbers[THROWERS];

    gate_init(&round_over, THROWERS + 1);
    pthread_create(&judge, NULL, referee, NULL);
    for (int i = 0; i < THROWERS; i++) {
        numbers[i] = i;
        pthread_create(&throwers[i], NULL, thrower, &numbers[i]);
    }
    pthread_join(judge, NULL);
    for (int i = 0; i < THROWERS; i++)
        pthread_join(throwers[i], NULL);
    gate_destroy(&round_over);
    for (int round = 0; round < ROUNDS; round++)
        printf("%.4f\n", 4.0 * history[round] / (THROWERS * DARTS));
    return 0;
}
