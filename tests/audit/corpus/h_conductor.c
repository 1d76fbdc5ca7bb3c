/* Epoch trainer in the plan's shape: a conductor thread orders, folds and updates; players only fill their own stave.
 *
 * clean: yes
 * bind: work=play_stave,accumulate=fold_staves,update=tune
 * check: holds
 * run: ok
 */
#include <pthread.h>
#include <stdio.h>

#define PLAYERS 3
#define PITCHES 16
#define MOVEMENTS 4
#define BARS 6

enum cue { CUE_PLAY, CUE_REST, CUE_HOME };

struct orchestra {
	pthread_barrier_t upbeat;
	pthread_barrier_t downbeat;
	enum cue cue;
	int bar;
	double pitch[PITCHES];
	double stave[PLAYERS][PITCHES];
	double sum[PITCHES];
};

struct player {
	struct orchestra *orch;
	unsigned int seat;
};

static void play_stave(struct orchestra *o, unsigned int seat)
{
	for (int i = 0; i < PITCHES; i++) {
		double want = (double)((o->bar + i) % 4) + 0.1 * seat;

		o->stave[seat][i] = o->pitch[i] - want;
	}
}

static void *player_fn(void *data)
{
	struct player *p = data;
	struct orchestra *o = p->orch;

	for (;;) {
		pthread_barrier_wait(&o->upbeat);
		switch (o->cue) {
		case CUE_HOME:
			return NULL;
		case CUE_PLAY:
			play_stave(o, p->seat);
			break;
		case CUE_REST:
			break;
		}
		pthread_barrier_wait(&o->downbeat);
	}
}

static void fold_staves(struct orchestra *o)
{
	for (int i = 0; i < PITCHES; i++) {
		o->sum[i] = 0.0;
		for (int p = 0; p < PLAYERS; p++)
			o->sum[i] += o->stave[p][i];
	}
}

static void tune(struct orchestra *o)
{
	for (int i = 0; i < PITCHES; i++)
		o->pitch[i] -= 0.2 * o->sum[i] / PLAYERS;
}

static void beat(struct orchestra *o, enum cue cue)
{
	o->cue = cue;
	pthread_barrier_wait(&o->upbeat);
	pthread_barrier_wait(&o->downbeat);
}

static void *conductor_fn(void *data)
{
	struct orchestra *o = data;

	for (int m = 0; m < MOVEMENTS; m++) {
		for (o->bar = 0; o->bar < BARS; o->bar++) {
			beat(o, CUE_PLAY);
			fold_staves(o);
			tune(o);
		}
		beat(o, CUE_REST);
	}
	o->cue = CUE_HOME;
	pthread_barrier_wait(&o->upbeat);
	return NULL;
}

int main(void)
{
	static struct orchestra orch;
	struct player players[PLAYERS];
	pthread_t conductor, seats[PLAYERS];
	unsigned int i;

	pthread_barrier_init(&orch.upbeat, NULL, PLAYERS + 1);
	pthread_barrier_init(&orch.downbeat, NULL, PLAYERS + 1);
	pthread_create(&conductor, NULL, conductor_fn, &orch);
	for (i = 0; i < PLAYERS; i++) {
		players[i].orch = &orch;
		players[i].seat = i;
		pthread_create(&seats[i], NULL, player_fn, &players[i]);
	}
	pthread_join(conductor, NULL);
	for (i = 0; i < PLAYERS; i++)
		pthread_join(seats[i], NULL);
	pthread_barrier_destroy(&orch.upbeat);
	pthread_barrier_destroy(&orch.downbeat);
	printf("pitch %.4f %.4f\n", orch.pitch[0], orch.pitch[PITCHES - 1]);
	return 0;
}
