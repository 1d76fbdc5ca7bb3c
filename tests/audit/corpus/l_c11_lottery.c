/* A ticket lottery with the C11 threads library: buyers draw numbers under a mtx_t and sleep until the board opens.
 *
 * clean: yes
 * check: holds
 * run: ok
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <threads.h>

enum { BUYERS = 4, TICKETS = 25 };

static struct {
    mtx_t guard;
    cnd_t opened;
    bool open;
    int remaining;
    unsigned seed;
} board;

static int draw(void)
{
    int ticket = -1;

    mtx_lock(&board.guard);
    while (!board.open)
        cnd_wait(&board.opened, &board.guard);
    if (board.remaining > 0) {
        board.remaining--;
        board.seed = board.seed * 69069u + 1u;
        ticket = (int)(board.seed >> 20);
    }
    mtx_unlock(&board.guard);
    return ticket;
}

static int buyer(void *argument)
{
    int *best = argument;
    int bought = 0, ticket;

    while ((ticket = draw()) >= 0) {
        bought++;
        if (ticket > *best)
            *best = ticket;
    }
    return bought;
}

static bool open_board(void)
{
    if (mtx_lock(&board.guard) != thrd_success)
        return false;
    board.open = true;
    board.remaining = TICKETS;
    cnd_broadcast(&board.opened);
    return mtx_unlock(&board.guard) == thrd_success;
}

int main(void)
{
    thrd_t threads[BUYERS];
    int best[BUYERS] = { 0 };
    int sold = 0, winner = 0;

    if (mtx_init(&board.guard, mtx_plain) != thrd_success)
        abort();
    if (cnd_init(&board.opened) != thrd_success)
        abort();
    for (int i = 0; i < BUYERS; i++)
        if (thrd_create(&threads[i], buyer, &best[i]) != thrd_success)
            abort();
    if (!open_board())
        abort();
    for (int i = 0; i < BUYERS; i++) {
        int bought = 0;

        thrd_join(threads[i], &bought);
        sold += bought;
        if (best[i] > best[winner])
            winner = i;
    }
    cnd_destroy(&board.opened);
    mtx_destroy(&board.guard);
    printf("%d tickets sold, buyer %d wins with %d\n", sold, winner, best[winner]);
    return 0;
}
