/* Dining philosophers with numbered forks: everybody picks up the lower-numbered fork first, so no circle can close.
 *
 * clean: yes
 * run: ok
 */
#include <pthread.h>
#include <stdio.h>

#define SEATS 5
#define HELPINGS 200

struct fork_s {
	pthread_mutex_t held;
	unsigned uses;
};

typedef struct seat {
	int nr;
	struct fork_s *lo, *hi;
	unsigned eaten;
} seat_t;

static struct fork_s tbl[SEATS];

static void lay(seat_t *s, int nr)
{
	int l = nr, r = (nr + 1) % SEATS;

	s->nr = nr;
	s->eaten = 0;
	s->lo = &tbl[l < r ? l : r];
	s->hi = &tbl[l < r ? r : l];
}

static void pick(seat_t *s)
{
	pthread_mutex_lock(&s->lo->held);
	pthread_mutex_lock(&s->hi->held);
}

static void drop(seat_t *s)
{
	pthread_mutex_unlock(&s->hi->held);
	pthread_mutex_unlock(&s->lo->held);
}

static void *dine(void *p)
{
	seat_t *s = p;
	int n;

	for (n = 0; n < HELPINGS; n++) {
		pick(s);
		s->lo->uses++;
		s->hi->uses++;
		s->eaten++;
		drop(s);
	}
	return NULL;
}

int main(void)
{
	pthread_t tid[SEATS];
	seat_t seat[SEATS];
	unsigned eaten = 0, uses = 0;
	int i;

	for (i = 0; i < SEATS; i++)
		pthread_mutex_init(&tbl[i].held, NULL);
	for (i = 0; i < SEATS; i++) {
		lay(&seat[i], i);
		pthread_create(&tid[i], NULL, dine, &seat[i]);
	}
	for (i = 0; i < SEATS; i++) {
		pthread_join(tid[i], NULL);
		printf("seat %d ate %u\n", seat[i].nr, seat[i].eaten);
		eaten += seat[i].eaten;
	}
	for (i = 0; i < SEATS; i++) {
		uses += tbl[i].uses;
		pthread_mutex_destroy(&tbl[i].held);
	}
	printf("%u helpings, %u uses\n", eaten, uses);
	return uses == 2 * eaten ? 0 : 1;
}
