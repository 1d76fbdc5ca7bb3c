/* A byte histogram: the threads share one table of bins without a guard and also keep a per-thread trail nobody looks at.
 *
 * clean: no
 * bind: work=count_block
 * run: race
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define NT 3
#define BLOCK 4096
#define NBYTES (NT * BLOCK)
#define TRAIL 16

struct ctx {
	unsigned char *data;
	unsigned bins[256];
	unsigned char trail[NT][TRAIL];		/* expect: CS003 #trail */
};

struct arg {
	struct ctx *ctx;
	int me;
};

static struct ctx c;

static inline void bump(struct ctx *x, unsigned char b)
{
	x->bins[b]++;				/* expect: CR001 */
}

static void count_block(struct ctx *x, int me)
{
	const unsigned char *p = x->data + me * BLOCK, *end = p + BLOCK;
	int n = 0;

	while (p < end) {
		bump(x, *p);
		if (*p == 0)
			x->trail[me][n++ % TRAIL] = (unsigned char)(p - x->data);	/* expect: CS003 #trail */
		p++;
	}
}

static void *start(void *v)
{
	struct arg *a = v;

	count_block(a->ctx, a->me);
	return NULL;
}

int main(void)
{
	pthread_t tid[NT];
	struct arg arg[NT];
	unsigned x = 7, top = 0, i;

	if ((c.data = malloc(NBYTES)) == NULL)
		return 1;
	for (i = 0; i < NBYTES; i++) {
		x = x * 1664525u + 1013904223u;
		c.data[i] = (unsigned char)(x >> 24);
	}
	for (i = 0; i < NT; i++) {
		arg[i].ctx = &c;
		arg[i].me = (int)i;
		pthread_create(&tid[i], NULL, start, &arg[i]);
	}
	for (i = 0; i < NT; i++)
		pthread_join(tid[i], NULL);
	for (i = 1; i < 256; i++)
		if (c.bins[i] > c.bins[top])
			top = i;
	printf("most frequent %u (%u times)\n", top, c.bins[top]);
	free(c.data);
	return 0;
}
