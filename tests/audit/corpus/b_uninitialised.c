/* Tournament of random numbers: the members of a round meet at a barrier that the set-up forgot to initialise.
 *
 * clean: no
 * run: fails
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { PLAYERS = 4, ROUNDS = 3 };

struct arena {
    pthread_barrier_t start;
    pthread_barrier_t whistle; /* expect: CB004 #1 */
    unsigned best[PLAYERS];
};

struct player {
    struct arena *arena;
    unsigned seat;
};

static void arena_open(struct arena *arena)
{
    pthread_barrier_init(&arena->start, NULL, PLAYERS);
    for (int i = 0; i < PLAYERS; i++)
        arena->best[i] = 0;
}

static void *play(void *argument)
{
    struct player *player = argument;
    struct arena *arena = player->arena;
    unsigned state = 17u * (player->seat + 1);

    pthread_barrier_wait(&arena->start);
    for (int round = 0; round < ROUNDS; round++) {
        for (int throw = 0; throw < 100; throw++) {
            state = state * 1664525u + 1013904223u;
            if (state > arena->best[player->seat])
                arena->best[player->seat] = state;
        }
        pthread_barrier_wait(&arena->whistle); /* expect: CB004 #1 */
    }
    return NULL;
}

int main(void)
{
    struct arena *arena = calloc(1, sizeof *arena);
    struct player players[PLAYERS];
    pthread_t threads[PLAYERS];

    if (arena == NULL)
        return 1;
    arena_open(arena);
    for (unsigned i = 0; i < PLAYERS; i++) {
        players[i] = (struct player){.arena = arena, .seat = i};
        pthread_create(&threads[i], NULL, play, &players[i]);
    }
    unsigned winner = 0;
    for (unsigned i = 0; i < PLAYERS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 1; i < PLAYERS; i++)
        if (arena->best[i] > arena->best[winner])
            winner = i;
    printf("player %u wins\n", winner);
    pthread_barrier_destroy(&arena->start);
    free(arena);
    return 0;
}
