/* Bank transfers that lock the source account first: two transfers in opposite directions can block each other.
 *
 * clean: no
 * run: hang
 */
#include <pthread.h>
#include <stdio.h>

#define TRANSFERS 2000000

struct account {
    pthread_mutex_t mutex;
    long balance;
};

static struct account savings = { PTHREAD_MUTEX_INITIALIZER, 100000 };
static struct account current = { PTHREAD_MUTEX_INITIALIZER, 100000 };

static void *save_up(void *unused)
{
    (void)unused;
    for (int i = 0; i < TRANSFERS; i++) {
        pthread_mutex_lock(&current.mutex); /* expect: CL005 #1 */
        pthread_mutex_lock(&savings.mutex); /* expect: CL005 #1 */
        current.balance -= 1;
        savings.balance += 1;
        pthread_mutex_unlock(&savings.mutex);
        pthread_mutex_unlock(&current.mutex);
    }
    return NULL;
}

static void *pay_back(void *unused)
{
    (void)unused;
    for (int i = 0; i < TRANSFERS; i++) {
        pthread_mutex_lock(&savings.mutex); /* expect: CL005 #1 */
        pthread_mutex_lock(&current.mutex); /* expect: CL005 #1 */
        savings.balance -= 1;
        current.balance += 1;
        pthread_mutex_unlock(&current.mutex);
        pthread_mutex_unlock(&savings.mutex);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[2];

    pthread_create(&threads[0], NULL, save_up, NULL);
    pthread_create(&threads[1], NULL, pay_back, NULL);
    pthread_join(threads[0], NULL); /* allow: CT001 */
    pthread_join(threads[1], NULL); /* allow: CT001 */
    printf("savings %ld, current %ld\n", savings.balance, current.balance);
    return 0;
}
