/* Signal smoother: a suppression without a reason on a barrier that nobody waits on, and one that suppresses nothing.
 *
 * clean: no
 * allow: CB001
 * run: ok
 */
#include <pthread.h>
#include <stdio.h>

enum { CHANNELS = 3, SAMPLES = 100, PASSES = 4 };

struct channel {
    double samples[SAMPLES];
    double roughness;
};

static pthread_barrier_t between_passes; /* cllm: ignore[CB001] */ /* expect: CX002 */

static void smooth(struct channel *channel)
{
    double previous = channel->samples[0];
    for (int i = 1; i + 1 < SAMPLES; i++) {
        double here = channel->samples[i];
        channel->samples[i] = (previous + here + channel->samples[i + 1]) / 3.0;
        previous = here;
    }
}

static void *smooth_channel(void *argument)
{
    struct channel *channel = argument;
    for (int pass = 0; pass < PASSES; pass++)
        smooth(channel); /* cllm: ignore[CL002] no lock since the channels were split */ /* expect: CX001 */
    for (int i = 1; i < SAMPLES; i++) {
        double step = channel->samples[i] - channel->samples[i - 1];
        channel->roughness += step * step;
    }
    return NULL;
}

int main(void)
{
    static struct channel channels[CHANNELS];
    pthread_t threads[CHANNELS];

    pthread_barrier_init(&between_passes, NULL, CHANNELS);
    for (int c = 0; c < CHANNELS; c++) {
        for (int i = 0; i < SAMPLES; i++)
            channels[c].samples[i] = (i * (c + 3)) % 11;
        pthread_create(&threads[c], NULL, smooth_channel, &channels[c]);
    }
    for (int c = 0; c < CHANNELS; c++) {
        pthread_join(threads[c], NULL);
        printf("channel %d: roughness %.2f\n", c, channels[c].roughness);
    }
    pthread_barrier_destroy(&between_passes);
    return 0;
}
