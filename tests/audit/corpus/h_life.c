/* Game of life on a torus, rows split over threads, two grids swapped by each thread for itself: one barrier per turn is enough.
 *
 * clean: yes
 * bind: work=evolve_band
 * run: ok
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define ROWS 22
#define COLS 40
#define BANDS 3
#define TURNS 30

typedef unsigned char world_t[ROWS][COLS];

static world_t earth, mars;
static pthread_barrier_t turn;

struct band {
	pthread_t thr;
	int from, upto;
	long births;
};

static int around(unsigned char (*w)[COLS], int r, int c)
{
	int up = (r + ROWS - 1) % ROWS, dn = (r + 1) % ROWS;
	int lf = (c + COLS - 1) % COLS, rt = (c + 1) % COLS;

	return w[up][lf] + w[up][c] + w[up][rt] + w[r][lf] + w[r][rt] + w[dn][lf] + w[dn][c] + w[dn][rt];
}

static long evolve_band(unsigned char (*old)[COLS], unsigned char (*new)[COLS], int from, int upto)
{
	long births = 0;
	int r, c;

	for (r = from; r < upto; r++)
		for (c = 0; c < COLS; c++) {
			int n = around(old, r, c);

			new[r][c] = n == 3 || (n == 2 && old[r][c]);
			births += new[r][c] && !old[r][c];
		}
	return births;
}

static void *live(void *arg)
{
	struct band *b = arg;
	unsigned char (*old)[COLS] = earth, (*new)[COLS] = mars, (*tmp)[COLS];
	int t;

	for (t = 0; t < TURNS; t++) {
		b->births += evolve_band(old, new, b->from, b->upto);
		pthread_barrier_wait(&turn);
		tmp = old;
		old = new;
		new = tmp;
	}
	return NULL;
}

int main(void)
{
	struct band band[BANDS], *b;
	long births = 0;
	int alive = 0, i;

	memset(earth, 0, sizeof earth);
	for (i = 0; i < ROWS * COLS; i += 3)
		earth[i / COLS][(i * 7) % COLS] = 1;
	pthread_barrier_init(&turn, NULL, BANDS);
	for (b = band; b < band + BANDS; b++) {
		i = (int)(b - band);
		b->from = ROWS * i / BANDS;
		b->upto = ROWS * (i + 1) / BANDS;
		b->births = 0;
		pthread_create(&b->thr, NULL, live, b);
	}
	for (b = band; b < band + BANDS; b++) {
		pthread_join(b->thr, NULL);
		births += b->births;
	}
	pthread_barrier_destroy(&turn);
	for (i = 0; i < ROWS * COLS; i++)
		alive += (TURNS % 2 ? mars : earth)[i / COLS][i % COLS];
	printf("%ld births, %d alive\n", births, alive);
	return 0;
}
