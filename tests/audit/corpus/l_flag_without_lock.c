/* An elevator: the caller changes the target floor and signals without the mutex under which the cabin tests it.
 *
 * clean: no
 * run: race
 */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#define TRIPS 5
#define OFF (-1)

typedef struct {
    pthread_mutex_t mutex;
    pthread_cond_t called;
    int target;
    int floor;
    int moved;
} Cabin;

static void *cabin_main(void *argument)
{
    Cabin *cabin = argument;

    pthread_mutex_lock(&cabin->mutex);
    for (;;) {
        while (cabin->target == cabin->floor) /* expect: CW006 #1 */ /* allow: CR001 CR002 */
            pthread_cond_wait(&cabin->called, &cabin->mutex); /* expect: CW006 #1 */
        if (cabin->target == OFF) /* allow: CR001 CR002 */
            break;
        cabin->moved++;
        cabin->floor = cabin->target; /* allow: CR001 CR002 */
    }
    pthread_mutex_unlock(&cabin->mutex);
    return NULL;
}

static void call(Cabin *cabin, int floor)
{
    cabin->target = floor; /* expect: CW006 #1 */ /* allow: CR001 CR002 */
    pthread_cond_signal(&cabin->called); /* expect: CW006 #1 */
}

int main(void)
{
    static Cabin cabin = { .mutex = PTHREAD_MUTEX_INITIALIZER, .called = PTHREAD_COND_INITIALIZER };
    pthread_t thread;

    pthread_create(&thread, NULL, cabin_main, &cabin);
    for (int i = 1; i <= TRIPS; i++) {
        call(&cabin, i);
        usleep(3000);
    }
    call(&cabin, OFF);
    pthread_join(thread, NULL); /* allow: CT001 */
    printf("%d trips\n", cabin.moved);
    return 0;
}
