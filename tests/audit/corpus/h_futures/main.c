/* Digit sums behind futures with a completion hook; a future's thread is joined before its lock and memory go.
 *
 * clean: yes
 * run: ok
 */
#include "future.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define ASKED 6

static long digits(void *ctx)
{
    long n = *(long *)ctx, sum = 0;

    for (long power = n; power > 0; power /= 10)
        sum += power % 10;
    return sum;
}

static void tally(void *ctx, long value)
{
    atomic_fetch_add((atomic_long *)ctx, value);
}

int main(void)
{
    future *asked[ASKED];
    long number[ASKED], direct = 0;
    atomic_long hooked = 0;

    for (int i = 0; i < ASKED; i++) {
        number[i] = 98765L * (i + 1);
        asked[i] = future_start(digits, &number[i]);
        if (!asked[i])
            return EXIT_FAILURE;
        future_then(asked[i], tally, &hooked);
    }
    for (int i = 0; i < ASKED; i++)
        direct += future_get(asked[i]);
    for (int i = 0; i < ASKED; i++)
        future_drop(&asked[i]);
    printf("%ld by asking, %ld by hooks\n", direct, atomic_load(&hooked));
    return direct == atomic_load(&hooked) ? EXIT_SUCCESS : EXIT_FAILURE;
}
