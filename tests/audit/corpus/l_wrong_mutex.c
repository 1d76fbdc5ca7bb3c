/* A mail sorter: the sorter holds the tray's mutex but waits at the condition with the statistics mutex, which it does not hold.
 *
 * clean: no
 * run: hang
 */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#define LETTERS 10

struct post_office {
    pthread_mutex_t tray_mutex;
    pthread_cond_t arrived;
    int tray;
    pthread_mutex_t statistics_mutex;
    int sorted;
    int delivered;
};

static struct post_office office = {
    .tray_mutex = PTHREAD_MUTEX_INITIALIZER,
    .arrived = PTHREAD_COND_INITIALIZER,
    .statistics_mutex = PTHREAD_MUTEX_INITIALIZER,
};

static void *sort(void *argument)
{
    struct post_office *post = argument;

    for (int i = 0; i < LETTERS; i++) {
        pthread_mutex_lock(&post->tray_mutex);
        while (post->tray == 0)
            pthread_cond_wait(&post->arrived, &post->statistics_mutex); /* expect: CW003 */ /* allow: CL003 */
        post->tray--;
        pthread_mutex_unlock(&post->tray_mutex);
        pthread_mutex_lock(&post->statistics_mutex);
        post->sorted++;
        pthread_mutex_unlock(&post->statistics_mutex);
    }
    return NULL;
}

static void *deliver(void *argument)
{
    struct post_office *post = argument;

    for (int i = 0; i < LETTERS; i++) {
        usleep(2000);
        pthread_mutex_lock(&post->tray_mutex);
        post->tray++;
        pthread_cond_signal(&post->arrived);
        pthread_mutex_unlock(&post->tray_mutex);
        pthread_mutex_lock(&post->statistics_mutex);
        post->delivered++;
        pthread_mutex_unlock(&post->statistics_mutex);
    }
    return NULL;
}

int main(void)
{
    pthread_t sorter, carrier;

    pthread_create(&sorter, NULL, sort, &office);
    pthread_create(&carrier, NULL, deliver, &office);
    pthread_join(carrier, NULL); /* allow: CT001 */
    pthread_join(sorter, NULL);  /* allow: CT001 */
    printf("%d delivered, %d sorted\n", office.delivered, office.sorted);
    return 0;
}
