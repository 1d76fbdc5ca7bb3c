/* Heat in a rod, cut into spans: a span that has settled goes straight to the next step and misses the second rendezvous.
 *
 * clean: no
 * bind: work=diffuse
 * run: hang
 */
#include <math.h>
#include <pthread.h>
#include <stdio.h>

#define SPANS 3
#define SPAN_LEN 20
#define CELLS (SPANS * SPAN_LEN)
#define STEPS 60

typedef struct {
	pthread_t tid;
	int lo, hi;
	int quiet_steps;
} Span;

static double rod[CELLS + 2], fresh[CELLS + 2];
static pthread_barrier_t computed, copied;

#define RENDEZVOUS(b) (void)pthread_barrier_wait(&(b))

static double diffuse(const Span *sp)
{
	double change = 0;
	int i;

	for (i = sp->lo; i < sp->hi; i++) {
		fresh[i] = rod[i] + 0.25 * (rod[i - 1] - 2 * rod[i] + rod[i + 1]);	/* allow: CR001 */
		change += fabs(fresh[i] - rod[i]);
	}
	return change;
}

static void *SpanProc(void *pv)
{
	Span *sp = pv;
	double change;
	int step, i;

	for (step = 0; step < STEPS; step++) {
		change = diffuse(sp);
		RENDEZVOUS(computed);
		if (change < 1e-9) {		/* expect: CB003 #skip */
			sp->quiet_steps++;
			continue;		/* expect: CB003 #skip */
		}
		for (i = sp->lo; i < sp->hi; i++)
			rod[i] = fresh[i];	/* allow: CR001 */
		RENDEZVOUS(copied);		/* expect: CB003 #skip */
	}
	return NULL;
}

int main(void)
{
	Span span[SPANS];
	int k, quiet = 0;

	rod[0] = 100.0;
	pthread_barrier_init(&computed, NULL, SPANS);
	pthread_barrier_init(&copied, NULL, SPANS);
	for (k = 0; k < SPANS; k++) {
		span[k].lo = 1 + k * SPAN_LEN;
		span[k].hi = 1 + (k + 1) * SPAN_LEN;
		span[k].quiet_steps = 0;
		pthread_create(&span[k].tid, NULL, SpanProc, &span[k]);
	}
	for (k = 0; k < SPANS; k++) {
		pthread_join(span[k].tid, NULL);	/* allow: CT001 */
		quiet += span[k].quiet_steps;
	}
	pthread_barrier_destroy(&copied);
	pthread_barrier_destroy(&computed);
	printf("rod %.3f ... %.3f, %d quiet\n", rod[1], rod[CELLS], quiet);
	return 0;
}
