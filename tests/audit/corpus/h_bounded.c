/* Producer and consumer over a small ring: the consumer never says that a place became free, so a full ring stays full.
 *
 * clean: no
 * check: deadlock
 * run: hang
 */
#include <pthread.h>
#include <stdio.h>

#define CAP 4
#define ITEMS 64
#define EOT 0xffffffffu

typedef struct rb {
	pthread_mutex_t m;
	pthread_cond_t nonempty, nonfull;
	unsigned buf[CAP];
	int n, r, w;
} rb_t;

static rb_t rb = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER, { 0 }, 0, 0, 0 };
static unsigned xsum;

static void rbput(rb_t *q, unsigned x)
{
	pthread_mutex_lock(&q->m);
	while (q->n == CAP)
		pthread_cond_wait(&q->nonfull, &q->m);	/* expect: CW005 */
	q->buf[q->w] = x;
	q->w = (q->w + 1) % CAP;
	q->n++;
	pthread_cond_signal(&q->nonempty);
	pthread_mutex_unlock(&q->m);
}

static unsigned rbget(rb_t *q)
{
	unsigned x;

	pthread_mutex_lock(&q->m);
	while (q->n == 0)
		pthread_cond_wait(&q->nonempty, &q->m);
	x = q->buf[q->r];
	q->r = (q->r + 1) % CAP;
	q->n--;
	pthread_mutex_unlock(&q->m);
	return x;
}

static void *prod(void *v)
{
	unsigned x = 1;
	int i;

	for (i = 0; i < ITEMS; i++) {
		x = x * 1103515245u + 12345u;
		rbput(&rb, x & 0xffffu);
	}
	rbput(&rb, EOT);
	return v;
}

static void *cons(void *v)
{
	unsigned x;

	while ((x = rbget(&rb)) != EOT)
		xsum ^= x;
	return v;
}

int main(void)
{
	pthread_t p, c;

	pthread_create(&p, NULL, prod, NULL);
	pthread_create(&c, NULL, cons, NULL);
	pthread_join(p, NULL);	/* allow: CT001 */
	pthread_join(c, NULL);	/* allow: CT001 */
	pthread_cond_destroy(&rb.nonfull);
	pthread_cond_destroy(&rb.nonempty);
	pthread_mutex_destroy(&rb.m);
	printf("xor %u\n", xsum);
	return 0;
}
