/* Map-reduce over word lengths: the phase barrier was set up and forgotten, and the mappers bump one shared total unguarded.
 *
 * clean: no
 * run: race
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define NMAP 3
#define NBUCKET 12
#define REPEAT 400

static const char *text[] = {
	"a ring", "of threads", "walked into", "the barrier", "and the last", "one paid", "for everybody", "else as",
	"barriers do",
};
#define NLINE ((int)(sizeof text / sizeof text[0]))

struct mapper {
	pthread_t t;
	int id;
	long bucket[NBUCKET];
};

struct mr {
	struct mapper m[NMAP];
	pthread_barrier_t phase;	/* expect: CB001 #bar */
	long words;
	long out[NBUCKET];
};

static struct mr mr;

static void emit(struct mapper *m, int len)
{
	m->bucket[len < NBUCKET ? len : NBUCKET - 1]++;
	mr.words++;			/* expect: CR001 #words */
}

static void map_line(struct mapper *m, const char *s)
{
	size_t n;

	while (*s) {
		n = strcspn(s, " ");
		if (n)
			emit(m, (int)n);
		s += n;
		s += strspn(s, " ");
	}
}

static void *map(void *v)
{
	struct mapper *m = v;
	int r, l;

	for (r = 0; r < REPEAT; r++)
		for (l = m->id; l < NLINE; l += NMAP)
			map_line(m, text[l]);
	return 0;
}

static void reduce(struct mr *r)
{
	int i, b;

	for (b = 0; b < NBUCKET; b++)
		for (i = 0; i < NMAP; i++)
			r->out[b] += r->m[i].bucket[b];
}

int main(void)
{
	int i;

	pthread_barrier_init(&mr.phase, 0, NMAP);	/* expect: CB001 #bar */
	for (i = 0; i < NMAP; i++) {
		mr.m[i].id = i;
		pthread_create(&mr.m[i].t, 0, map, &mr.m[i]);
	}
	for (i = 0; i < NMAP; i++)
		pthread_join(mr.m[i].t, 0);
	reduce(&mr);
	for (i = 1; i < NBUCKET; i++)
		printf("%2d: %ld\n", i, mr.out[i]);
	printf("%ld words\n", mr.words);
	pthread_barrier_destroy(&mr.phase);	/* expect: CB001 #bar */
	return 0;
}
