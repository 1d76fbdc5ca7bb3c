/* A print spooler over an intrusive list: the lock is initialised by open and again by reset, and `drained` has no waiter.
 *
 * clean: no
 * run: ok
 */
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))
#define PAGES 30
#define PRINTERS 2

struct link {
	struct link *next;
};

struct page {
	int number;
	struct link link;
};

struct spool {
	pthread_mutex_t lock;
	pthread_cond_t queued;
	pthread_cond_t drained;
	struct link *head, **tail;
	int closing;
	int printed;
};

static void spool_reset(struct spool *sp)
{
	pthread_mutex_init(&sp->lock, NULL);		/* expect: CD002 #twice */
	sp->head = NULL;
	sp->tail = &sp->head;
	sp->closing = 0;
	sp->printed = 0;
}

static void spool_open(struct spool *sp)
{
	pthread_mutex_init(&sp->lock, NULL);		/* expect: CD002 #twice */
	pthread_cond_init(&sp->queued, NULL);
	pthread_cond_init(&sp->drained, NULL);
}

static void spool_page(struct spool *sp, struct page *pg)
{
	pg->link.next = NULL;
	pthread_mutex_lock(&sp->lock);
	*sp->tail = &pg->link;
	sp->tail = &pg->link.next;
	pthread_cond_signal(&sp->queued);
	pthread_mutex_unlock(&sp->lock);
}

static struct page *spool_next(struct spool *sp)
{
	struct link *ln;

	pthread_mutex_lock(&sp->lock);
	while (!sp->head && !sp->closing)
		pthread_cond_wait(&sp->queued, &sp->lock);
	ln = sp->head;
	if (ln) {
		sp->head = ln->next;
		sp->printed++;
		if (!sp->head) {
			sp->tail = &sp->head;
			pthread_cond_signal(&sp->drained);	/* expect: CW004 */
		}
	}
	pthread_mutex_unlock(&sp->lock);
	return ln ? container_of(ln, struct page, link) : NULL;
}

static void *printer(void *v)
{
	struct spool *sp = v;
	struct page *pg;
	long ink = 0;

	while ((pg = spool_next(sp)) != NULL) {
		ink += pg->number % 7;
		free(pg);
	}
	return (void *)ink;
}

int main(void)
{
	struct spool sp;
	pthread_t t[PRINTERS];
	struct page *pg;
	void *ink;
	long used = 0;
	int i;

	spool_open(&sp);
	spool_reset(&sp);
	for (i = 0; i < PRINTERS; i++)
		pthread_create(&t[i], NULL, printer, &sp);
	for (i = 0; i < PAGES; i++) {
		pg = malloc(sizeof(*pg));
		if (!pg)
			abort();
		pg->number = i;
		spool_page(&sp, pg);
	}
	pthread_mutex_lock(&sp.lock);
	sp.closing = 1;
	pthread_cond_broadcast(&sp.queued);
	pthread_mutex_unlock(&sp.lock);
	for (i = 0; i < PRINTERS; i++) {
		pthread_join(t[i], &ink);
		used += (long)ink;
	}
	pthread_cond_destroy(&sp.drained);
	pthread_cond_destroy(&sp.queued);
	pthread_mutex_destroy(&sp.lock);
	printf("%d pages, %ld ink\n", sp.printed, used);
	return EXIT_SUCCESS;
}
