/* Nearest shop for each of 1000 homes: every thread takes homes / threads of them and the last home is forgotten.
 *
 * clean: no
 * run: ok
 */
#include <limits.h>
#include <pthread.h>
#include <stdio.h>

#define HOMES 1000
#define SHOPS 12
#define THREADS 3

struct point {
    int x, y;
};

static struct point homes[HOMES];
static struct point shops[SHOPS];
static int nearest[HOMES];

static int find_nearest(struct point home)
{
    int best = 0, best_distance = INT_MAX;

    for (int i = 0; i < SHOPS; i++) {
        int dx = home.x - shops[i].x, dy = home.y - shops[i].y;

        if (dx * dx + dy * dy < best_distance) {
            best_distance = dx * dx + dy * dy;
            best = i;
        }
    }
    return best;
}

static void *find_share(void *argument)
{
    long id = (long)argument;
    long homes_per_thread = HOMES / THREADS; /* expect: CS002 #1 */
    long first = id * homes_per_thread; /* expect: CS002 #1 */

    for (long i = first; i < first + homes_per_thread; i++) /* expect: CS002 #1 */
        nearest[i] = find_nearest(homes[i]);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    int customers[SHOPS] = { 0 };

    for (int i = 0; i < HOMES; i++)
        homes[i] = (struct point){ i * 73 % 500, i * 151 % 500 };
    for (int i = 0; i < SHOPS; i++)
        shops[i] = (struct point){ i * 211 % 500, i * 97 % 500 };
    for (long i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, find_share, (void *)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < HOMES; i++)
        customers[nearest[i]]++;
    for (int i = 0; i < SHOPS; i++)
        printf("shop %d: %d homes\n", i, customers[i]);
    return 0;
}
