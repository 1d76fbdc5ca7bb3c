/* A sampling device with an input and an output gate: only the input gate is initialised; the dirty bits are never read.
 *
 * clean: no
 * run: fails
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define SAMPLER_CHANNELS 3
#define SAMPLER_ROUNDS 5

struct sampler_chan {
	pthread_t task;
	struct sampler_dev *dev;
	unsigned int index;
	unsigned int dirty : 1;				/* expect: CR003 #dirty */
	unsigned int level : 12;
};

struct sampler_dev {
	pthread_barrier_t gate_in;
	pthread_barrier_t gate_out;			/* expect: CB004 #gate */
	struct sampler_chan chan[SAMPLER_CHANNELS];
	unsigned int mean[SAMPLER_ROUNDS];
};

static unsigned int sampler_read(unsigned int index, int round)
{
	return (index * 613u + (unsigned int)round * 97u) & 0xfffu;
}

static void *sampler_task(void *data)
{
	struct sampler_chan *chan = data;
	struct sampler_dev *dev = chan->dev;
	int round;

	for (round = 0; round < SAMPLER_ROUNDS; round++) {
		chan->level = sampler_read(chan->index, round) & 0xfffu;
		chan->dirty = 1;			/* expect: CR003 #dirty */
		pthread_barrier_wait(&dev->gate_in);
		pthread_barrier_wait(&dev->gate_out);	/* expect: CB004 #gate */
	}
	return NULL;
}

static int sampler_probe(struct sampler_dev **res)
{
	struct sampler_dev *dev = calloc(1, sizeof(*dev));
	unsigned int i;
	int err;

	if (!dev)
		return -ENOMEM;
	err = -pthread_barrier_init(&dev->gate_in, NULL, SAMPLER_CHANNELS + 1);
	if (err)
		goto free_dev;
	for (i = 0; i < SAMPLER_CHANNELS; i++) {
		dev->chan[i].dev = dev;
		dev->chan[i].index = i;
	}
	*res = dev;
	return 0;

free_dev:
	free(dev);
	return err;
}

static void sampler_collect(struct sampler_dev *dev)
{
	unsigned int i, sum;
	int round;

	for (round = 0; round < SAMPLER_ROUNDS; round++) {
		pthread_barrier_wait(&dev->gate_in);
		for (sum = 0, i = 0; i < SAMPLER_CHANNELS; i++)
			sum += dev->chan[i].level;
		dev->mean[round] = sum / SAMPLER_CHANNELS;
		pthread_barrier_wait(&dev->gate_out);	/* expect: CB004 #gate */
	}
}

int main(void)
{
	struct sampler_dev *dev = NULL;
	unsigned int i;

	if (sampler_probe(&dev))
		return EXIT_FAILURE;
	for (i = 0; i < SAMPLER_CHANNELS; i++)
		pthread_create(&dev->chan[i].task, NULL, sampler_task, &dev->chan[i]);
	sampler_collect(dev);
	for (i = 0; i < SAMPLER_CHANNELS; i++)
		pthread_join(dev->chan[i].task, NULL);
	for (i = 0; i < SAMPLER_ROUNDS; i++)
		printf("round %u mean %u\n", i, dev->mean[i]);
	pthread_barrier_destroy(&dev->gate_in);
	free(dev);
	return EXIT_SUCCESS;
}
