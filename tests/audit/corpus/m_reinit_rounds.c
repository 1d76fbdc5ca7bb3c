/* A growing game of life: each round allocates a board, sets its mutex and barrier up anew and takes both down after the join.
 *
 * clean: yes
 * bind: work=evolve
 * run: ok
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define THREADS 3
#define ROUNDS 3
#define GENERATIONS 6

typedef struct {
    int side;
    unsigned char *cells[2];
    pthread_barrier_t generation;
    pthread_mutex_t births_mutex;
    long births;
} Board;

typedef struct {
    Board *board;
    int first_row;
    int last_row;
} Strip;

static int neighbours(const Board *board, const unsigned char *cells, int row, int column)
{
    int count = 0, side = board->side;

    for (int dr = -1; dr <= 1; dr++)
        for (int dc = -1; dc <= 1; dc++)
            if (dr || dc)
                count += cells[(row + dr + side) % side * side + (column + dc + side) % side];
    return count;
}

static long evolve(const Strip *strip, int from)
{
    const Board *board = strip->board;
    const unsigned char *old = board->cells[from];
    unsigned char *new = board->cells[!from];
    long births = 0;

    for (int row = strip->first_row; row < strip->last_row; row++) {
        for (int column = 0; column < board->side; column++) {
            int alive = old[row * board->side + column];
            int n = neighbours(board, old, row, column);

            new[row * board->side + column] = n == 3 || (alive && n == 2);
            births += !alive && n == 3;
        }
    }
    return births;
}

static void *evolve_strip(void *argument)
{
    Strip *strip = argument;
    long births = 0;

    for (int g = 0; g < GENERATIONS; g++) {
        births += evolve(strip, g % 2);
        pthread_barrier_wait(&strip->board->generation);
    }
    pthread_mutex_lock(&strip->board->births_mutex);
    strip->board->births += births;
    pthread_mutex_unlock(&strip->board->births_mutex);
    return NULL;
}

static void board_open(Board *board, int side)
{
    board->side = side;
    board->births = 0;
    board->cells[0] = calloc((size_t)side, (size_t)side);
    board->cells[1] = calloc((size_t)side, (size_t)side);
    if (!board->cells[0] || !board->cells[1])
        abort();
    for (int i = 0; i < side * side; i++)
        board->cells[0][i] = i * 7 % 3 == 0 || i % 5 == 0;
    pthread_barrier_init(&board->generation, NULL, THREADS);
    pthread_mutex_init(&board->births_mutex, NULL);
}

static void board_close(Board *board)
{
    pthread_mutex_destroy(&board->births_mutex);
    pthread_barrier_destroy(&board->generation);
    free(board->cells[1]);
    free(board->cells[0]);
}

static long play(Board *board)
{
    Strip strips[THREADS];
    pthread_t threads[THREADS];
    long population = 0;

    for (int i = 0; i < THREADS; i++) {
        strips[i].board = board;
        strips[i].first_row = board->side * i / THREADS;
        strips[i].last_row = board->side * (i + 1) / THREADS;
        pthread_create(&threads[i], NULL, evolve_strip, &strips[i]);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < board->side * board->side; i++)
        population += board->cells[GENERATIONS % 2][i];
    return population;
}

int main(void)
{
    Board board;

    for (int round = 0; round < ROUNDS; round++) {
        long population;

        board_open(&board, 10 + 7 * round);
        population = play(&board);
        printf("side %d: population %ld, births %ld\n", board.side, population, board.births);
        board_close(&board);
    }
    return 0;
}
