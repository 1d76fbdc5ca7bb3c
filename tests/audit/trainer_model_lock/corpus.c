#include "corpus.h"

#include <errno.h>
#include <stdlib.h>

static const char TEXT[] =
    "The mill stands where the river bends, and the river turns the wheel.\n"
    "In spring the water is high and the wheel runs day and night.\n"
    "In summer the water is low, and the miller waits for the rain.\n"
    "When the rain comes the water rises, and the wheel turns again.\n"
    "\n"
    "There are twelve sacks on the floor of the mill and twelve on the cart.\n"
    "Each sack has a mark, and each mark has a line in the book.\n"
    "The miller reads the book in the morning and writes in it at night.\n"
    "No two sacks have the same mark, and no mark is written twice.\n"
    "\n"
    "The road goes down from the mill to the harbour in the south.\n"
    "The cart takes the sacks along the road and comes back with salt.\n"
    "The driver knows each stone of the road and each bend of the river.\n"
    "He stops at the bridge, he gives the horse some water, and he goes on.\n"
    "\n"
    "In the harbour the ships wait for the tide, one beside the other.\n"
    "When the tide is in, the bell is rung and the ships go out.\n"
    "No ship goes out before the bell, and no ship waits after the bell.\n"
    "The keeper of the bell has no ship; he watches the water and the wind.\n"
    "\n"
    "At the end of the day the ships come back and the nets are counted.\n"
    "The keeper writes down what each ship has brought, one line for each.\n"
    "When the last line is written, he adds up the lines and rings again.\n"
    "Then the lamps are lit in the streets, and the harbour is quiet.\n"
    "\n"
    "The children of the town count the ships from the wall of the harbour.\n"
    "They count to twelve and begin again, and they count to twelve again.\n"
    "A ship that is late is counted when it comes, and not before.\n"
    "A ship that is lost is counted by nobody, and the bell is not rung.\n"
    "\n"
    "In winter the river is ice, and the wheel of the mill stands still.\n"
    "The miller mends the sacks, the driver mends the cart.\n"
    "The keeper reads the book of the year, from the first line to the last.\n"
    "And when the ice is gone, the wheel turns and the book begins anew.\n";

static uint64_t next_random(uint64_t *state)
{
    uint64_t x = *state;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    *state = x;
    return x;
}

int corpus_open(struct corpus *corpus, size_t context, uint64_t seed)
{
    corpus->text = (const unsigned char *)TEXT;
    corpus->length = sizeof TEXT - 1;
    if (corpus->length <= context)
        return EINVAL;
    corpus->windows = corpus->length - context;
    corpus->random_state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    corpus->order = malloc(corpus->windows * sizeof *corpus->order);
    if (!corpus->order)
        return ENOMEM;
    for (size_t i = 0; i < corpus->windows; i++)
        corpus->order[i] = i;
    return 0;
}

void corpus_close(struct corpus *corpus)
{
    free(corpus->order);
    corpus->order = NULL;
}

void corpus_shuffle(struct corpus *corpus)
{
    for (size_t i = corpus->windows - 1; i > 0; i--) {
        size_t j = next_random(&corpus->random_state) % (i + 1);
        size_t swap = corpus->order[i];

        corpus->order[i] = corpus->order[j];
        corpus->order[j] = swap;
    }
}

const unsigned char *corpus_window(const struct corpus *corpus, size_t place)
{
    return corpus->text + corpus->order[place];
}
