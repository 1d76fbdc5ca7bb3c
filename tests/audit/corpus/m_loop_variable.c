/* A station poller that passes the address of its loop variable to the threads: two may read the same number, or a later one.
 *
 * clean: no
 * run: race
 */
#include <pthread.h>
#include <stdio.h>

#define STATIONS 4

static double temperature[STATIONS + 1];

static double measure(int station)
{
    double value = 15.0;

    for (int i = 1; i < 200; i++)
        value += (double)((station * i) % 7 - 3) / i;
    return value;
}

static void *poll_station(void *argument)
{
    int station = *(int *)argument; /* expect: CR001 #1 */

    temperature[station] = measure(station); /* allow: CR001 CS001 */
    return NULL;
}

int main(void)
{
    pthread_t threads[STATIONS];
    int station;

    for (station = 0; station < STATIONS; station++) /* expect: CR001 #1 */
        pthread_create(&threads[station], NULL, poll_station, &station); /* expect: CR001 #1 */
    for (int i = 0; i < STATIONS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < STATIONS; i++)
        printf("station %d: %.2f\n", i, temperature[i]);
    return 0;
}
