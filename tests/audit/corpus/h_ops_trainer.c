/* Trainer behind an ops table: the leader takes the odd shard itself and looks at the crew's losses before they are done.
 *
 * clean: no
 * bind: work=tr_grad,update=tr_apply
 * check: race
 * run: race
 */
#include <pthread.h>
#include <stdio.h>

#define NCREW 3
#define NSHARD (NCREW + 1)
#define DIM 6
#define NSTEP 40
#define SHARD_LEN 50

struct trainer;

struct trainer_ops {
	void (*grad)(struct trainer *tr, int shard);
	void (*apply)(struct trainer *tr);
};

struct trainer {
	const struct trainer_ops *ops;
	pthread_barrier_t go, done;
	int quit;
	int step;
	double w[DIM];
	double g[NSHARD][DIM];
	double loss[NSHARD];
	double worst;
};

struct crew {
	pthread_t thread;
	struct trainer *tr;
	int shard;
};

static void tr_grad(struct trainer *tr, int shard)
{
	double l = 0;
	int d, n;

	for (d = 0; d < DIM; d++)
		tr->g[shard][d] = 0;
	for (n = 0; n < SHARD_LEN; n++)
		for (d = 0; d < DIM; d++) {
			double e = tr->w[d] - ((shard * SHARD_LEN + n + d) % 5);

			tr->g[shard][d] += e / SHARD_LEN;
			l += e * e;
		}
	tr->loss[shard] = l;			/* expect: CR001 #loss */
}

static void tr_apply(struct trainer *tr)
{
	int s, d;

	for (s = 0; s < NSHARD; s++)
		for (d = 0; d < DIM; d++)
			tr->w[d] -= 0.05 * tr->g[s][d];
}

static const struct trainer_ops plain_ops = { .grad = tr_grad, .apply = tr_apply };

static void *crew_main(void *v)
{
	struct crew *c = v;
	struct trainer *tr = c->tr;

	for (;;) {
		pthread_barrier_wait(&tr->go);
		if (tr->quit)
			break;
		tr->ops->grad(tr, c->shard);
		pthread_barrier_wait(&tr->done);
	}
	return NULL;
}

static void note_worst(struct trainer *tr)
{
	int s;

	tr->worst = 0;
	for (s = 0; s < NSHARD; s++)
		if (tr->loss[s] > tr->worst)	/* expect: CR001 #loss */
			tr->worst = tr->loss[s];	/* expect: CR001 #loss */
}

static void *leader_main(void *v)		/* expect: CT004 #lead */
{
	struct trainer *tr = v;

	for (tr->step = 0; tr->step < NSTEP; tr->step++) {
		pthread_barrier_wait(&tr->go);
		tr->ops->grad(tr, NCREW);	/* expect: CT004 #lead */
		note_worst(tr);			/* expect: CR001 #loss */
		pthread_barrier_wait(&tr->done);
		tr->ops->apply(tr);
	}
	tr->quit = 1;
	pthread_barrier_wait(&tr->go);
	return NULL;
}

int main(void)
{
	static struct trainer tr = { .ops = &plain_ops };
	struct crew crew[NCREW];
	pthread_t leader;
	int i;

	pthread_barrier_init(&tr.go, NULL, NCREW + 1);
	pthread_barrier_init(&tr.done, NULL, NCREW + 1);
	pthread_create(&leader, NULL, leader_main, &tr);
	for (i = 0; i < NCREW; i++) {
		crew[i].tr = &tr;
		crew[i].shard = i;
		pthread_create(&crew[i].thread, NULL, crew_main, &crew[i]);
	}
	pthread_join(leader, NULL);
	for (i = 0; i < NCREW; i++)
		pthread_join(crew[i].thread, NULL);
	pthread_barrier_destroy(&tr.done);
	pthread_barrier_destroy(&tr.go);
	printf("%d steps, w0 %.4f, worst %.1f\n", tr.step, tr.w[0], tr.worst);
	return 0;
}
