/* Cellular automaton with a printer that crosses the gate as well, but the gate counts the cell threads only.
 *
 * clean: no
 * bind: work=next_generation
 * allow: CR001 CT002
 * run: may hang
 */
#include "gate.h"

#include <stdio.h>

#define MAX_THREADS 8
#define CELLS 64

struct config {
    unsigned threads;
    int generations;
};

struct automaton {
    const struct config *cfg;
    struct gate gate;
    char cells[2][CELLS];
    long alive;
};

struct span {
    struct automaton *automaton;
    unsigned index;
};

static void next_generation(const char *old, char *fresh, unsigned first, unsigned last)
{
    for (unsigned i = first; i < last; i++) {
        int left = old[(i + CELLS - 1) % CELLS];
        int right = old[(i + 1) % CELLS];
        fresh[i] = (char)(left ^ (old[i] | right));
    }
}

static void *evolve(void *argument)
{
    struct span *span = argument;
    struct automaton *automaton = span->automaton;
    unsigned threads = automaton->cfg->threads;
    for (int g = 0; g < automaton->cfg->generations; g++) {
        next_generation(automaton->cells[g % 2], automaton->cells[(g + 1) % 2], span->index * CELLS / threads,
                        (span->index + 1) * CELLS / threads);
        gate_cross(&automaton->gate);
        gate_cross(&automaton->gate);
    }
    return NULL;
}

static void *count_alive(void *argument)
{
    struct automaton *automaton = argument;
    for (int g = 0; g < automaton->cfg->generations; g++) {
        gate_cross(&automaton->gate);
        for (int i = 0; i < CELLS; i++)
            automaton->alive += automaton->cells[(g + 1) % 2][i];
        gate_cross(&automaton->gate);
    }
    return NULL;
}

int main(void)
{
    static const struct config cfg = {.threads = 3, .generations = 60};
    static struct automaton automaton;
    struct span spans[MAX_THREADS];
    pthread_t cell_threads[MAX_THREADS], counter;

    automaton.cfg = &cfg;
    automaton.cells[0][CELLS / 2] = 1;
    if (gate_open(&automaton.gate, cfg.threads) != 0) /* expect: CB002 #1 */
        return 1;
    pthread_create(&counter, NULL, count_alive, &automaton);
    for (unsigned t = 0; t < cfg.threads; t++) {
        spans[t] = (struct span){&automaton, t};
        pthread_create(&cell_threads[t], NULL, evolve, &spans[t]);
    }
    for (unsigned t = 0; t < cfg.threads; t++)
        pthread_join(cell_threads[t], NULL);
    pthread_join(counter, NULL);
    gate_close(&automaton.gate);
    printf("%ld cells over all generations\n", automaton.alive);
    return 0;
}
