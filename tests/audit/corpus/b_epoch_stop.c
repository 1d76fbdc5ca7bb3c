/* Particle simulation in epochs: the stop order is published before the epoch barrier, so that every party leaves.
 *
 * clean: yes
 * bind: work=move_particles
 * check: holds
 * run: ok
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#define MOVERS 3
#define PARTICLES 30
#define STEPS 5
#define MAX_EPOCHS 8

typedef struct simulation {
    pthread_barrier_t epoch_begin;
    pthread_barrier_t step_end;
    bool stop;
    double position[PARTICLES];
    double speed[PARTICLES];
    double energy[MOVERS];
} simulation;

typedef struct mover {
    simulation *sim;
    int first, last;
    int index;
} mover;

static void move_particles(simulation *sim, int first, int last)
{
    for (int i = first; i < last; i++) {
        sim->speed[i] -= 0.1 * sim->position[i];
        sim->position[i] += 0.1 * sim->speed[i];
        sim->speed[i] *= 0.97;
    }
}

static double energy_of(const simulation *sim, int first, int last)
{
    double energy = 0.0;
    for (int i = first; i < last; i++)
        energy += sim->speed[i] * sim->speed[i] + sim->position[i] * sim->position[i];
    return energy;
}

static void *mover_main(void *argument)
{
    mover *me = argument;
    simulation *sim = me->sim;

    while (true) {
        pthread_barrier_wait(&sim->epoch_begin);
        if (sim->stop)
            break;
        for (int step = 0; step < STEPS; step++) {
            move_particles(sim, me->first, me->last);
            sim->energy[me->index] = energy_of(sim, me->first, me->last);
            pthread_barrier_wait(&sim->step_end);
        }
    }
    return NULL;
}

static void *director_main(void *argument)
{
    simulation *sim = argument;
    double before = 1e9;

    for (int epoch = 0; epoch < MAX_EPOCHS; epoch++) {
        pthread_barrier_wait(&sim->epoch_begin);
        for (int step = 0; step < STEPS; step++)
            pthread_barrier_wait(&sim->step_end);
        double energy = 0.0;
        for (int m = 0; m < MOVERS; m++)
            energy += sim->energy[m];
        printf("epoch %d: energy %.4f\n", epoch, energy);
        if (before - energy < 0.25)
            break;
        before = energy;
    }
    sim->stop = true;
    pthread_barrier_wait(&sim->epoch_begin);
    return NULL;
}

int main(void)
{
    static simulation sim;
    pthread_t director, threads[MOVERS];
    mover movers[MOVERS];

    for (int i = 0; i < PARTICLES; i++)
        sim.position[i] = i / (double)PARTICLES;
    pthread_barrier_init(&sim.epoch_begin, NULL, MOVERS + 1);
    pthread_barrier_init(&sim.step_end, NULL, MOVERS + 1);

    pthread_create(&director, NULL, director_main, &sim);
    for (int m = 0; m < MOVERS; m++) {
        movers[m] = (mover){&sim, m * PARTICLES / MOVERS, (m + 1) * PARTICLES / MOVERS, m};
        pthread_create(&threads[m], NULL, mover_main, &movers[m]);
    }
    pthread_join(director, NULL);
    for (int m = 0; m < MOVERS; m++)
        pthread_join(threads[m], NULL);
    pthread_barrier_destroy(&sim.step_end);
    pthread_barrier_destroy(&sim.epoch_begin);
    return 0;
}
