/* Ledger with a book-keeping thread: main joins the book-keeper first and closes the books only afterwards.
 *
 * clean: no
 * allow: CT002
 * run: hang
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#define CLERKS 3
#define ENTRIES 20
#define PAGE 8

typedef struct ledger {
    pthread_mutex_t mutex;
    pthread_cond_t posted;
    pthread_cond_t room;
    int page[PAGE];
    int used;
    bool closed;
    long balance;
} ledger;

#define LOCK(l) pthread_mutex_lock(&(l)->mutex)
#define UNLOCK(l) pthread_mutex_unlock(&(l)->mutex)

static void ledger_post(ledger *book, int amount)
{
    LOCK(book);
    while (book->used == PAGE)
        pthread_cond_wait(&book->room, &book->mutex);
    book->page[book->used++] = amount;
    pthread_cond_signal(&book->posted);
    UNLOCK(book);
}

static void ledger_close(ledger *book)
{
    LOCK(book);
    book->closed = true;
    pthread_cond_broadcast(&book->posted);
    UNLOCK(book);
}

static void *clerk(void *argument)
{
    ledger *book = argument;
    for (int i = 0; i < ENTRIES; i++)
        ledger_post(book, i % 2 == 0 ? 30 + i : -i);
    return NULL;
}

static void *book_keeper(void *argument)
{
    ledger *book = argument;
    LOCK(book);
    while (!book->closed || book->used > 0) {
        while (book->used == 0 && !book->closed)
            pthread_cond_wait(&book->posted, &book->mutex); /* expect: CT001 #1 */
        while (book->used > 0)
            book->balance += book->page[--book->used];
        pthread_cond_broadcast(&book->room);
    }
    UNLOCK(book);
    return NULL;
}

int main(void)
{
    static ledger book = {
        .mutex = PTHREAD_MUTEX_INITIALIZER, .posted = PTHREAD_COND_INITIALIZER, .room = PTHREAD_COND_INITIALIZER};
    pthread_t keeper, clerks[CLERKS];

    pthread_create(&keeper, NULL, book_keeper, &book);
    for (int i = 0; i < CLERKS; i++)
        pthread_create(&clerks[i], NULL, clerk, &book);
    for (int i = 0; i < CLERKS; i++)
        pthread_join(clerks[i], NULL);
    pthread_join(keeper, NULL); /* expect: CT001 #1 */
    ledger_close(&book); /* expect: CT001 #1 */
    printf("balance %ld\n", book.balance);
    return 0;
}
