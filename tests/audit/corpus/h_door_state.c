/* A lift controller's state machine: the dispatcher changes the atomic state and signals without ever taking the door's mutex.
 *
 * clean: no
 * run: ok
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum lift_state { LIFT_IDLE, LIFT_CALLED, LIFT_OFF };

struct lift {
    pthread_mutex_t door;
    pthread_cond_t changed;
    atomic_int state;
    atomic_int calls_left;
    int floors;
};

static void lift_set(struct lift *l, enum lift_state s)
{
    atomic_store(&l->state, s);       /* expect: CW006 #lost */
    pthread_cond_signal(&l->changed); /* expect: CW006 #lost */
}

static void *motor(void *arg)
{
    struct lift *l = arg;

    for (;;) {
        pthread_mutex_lock(&l->door);
        while (atomic_load(&l->state) == LIFT_IDLE)    /* expect: CW006 #lost */
            pthread_cond_wait(&l->changed, &l->door); /* expect: CW006 #lost */
        pthread_mutex_unlock(&l->door);

        switch (atomic_load(&l->state)) {
        case LIFT_CALLED:
            l->floors += 3;
            atomic_store(&l->state, LIFT_IDLE);
            atomic_fetch_sub(&l->calls_left, 1);
            break;
        case LIFT_OFF:
            return NULL;
        }
    }
}

static void call_lift(struct lift *l, int calls)
{
    for (int i = calls; i > 0; i--) {
        usleep(2000);
        lift_set(l, LIFT_CALLED);
        while (atomic_load(&l->calls_left) == i)
            usleep(500);
    }
    usleep(2000);
    lift_set(l, LIFT_OFF);
}

int main(void)
{
    struct lift lift = {.door = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    pthread_t thread;

    atomic_init(&lift.state, LIFT_IDLE);
    atomic_init(&lift.calls_left, 5);
    pthread_create(&thread, NULL, motor, &lift);
    call_lift(&lift, 5);
    pthread_join(thread, NULL); /* allow: CT001 */
    pthread_cond_destroy(&lift.changed);
    pthread_mutex_destroy(&lift.door);
    printf("%d floors\n", lift.floors);
    return 0;
}
