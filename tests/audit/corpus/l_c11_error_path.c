/* A text compressor with C11 threads: the path that skips an incompressible block jumps to the label behind the unlock.
 *
 * clean: no
 * run: hang
 */
#include <stdio.h>
#include <string.h>
#include <threads.h>

enum { PACKERS = 3, BLOCKS = 12, BLOCK = 64 };

struct archive {
    mtx_t guard;
    unsigned char input[BLOCKS][BLOCK];
    int next;
    int packed_bytes;
    int stored;
};

static int run_length(const unsigned char *block)
{
    int runs = 0;

    for (int i = 0; i < BLOCK; i++)
        if (i == 0 || block[i] != block[i - 1])
            runs++;
    return runs * 2;
}

/* Returns 0 when there are no more blocks. */
static int pack_one(struct archive *archive)
{
    int block, size;

    mtx_lock(&archive->guard);
    block = archive->next < BLOCKS ? archive->next++ : -1;
    mtx_unlock(&archive->guard);
    if (block < 0)
        return 0;
    size = run_length(archive->input[block]);

    mtx_lock(&archive->guard); /* expect: CL004 #1 */
    if (size >= BLOCK) {
        archive->stored++;
        goto skip; /* expect: CL004 #1 */
    }
    archive->packed_bytes += size;
    mtx_unlock(&archive->guard);
skip:
    return 1; /* expect: CL004 #1 */
}

static int packer(void *argument)
{
    int blocks = 0;

    while (pack_one(argument))
        blocks++;
    return blocks;
}

int main(void)
{
    static struct archive archive;
    thrd_t threads[PACKERS];
    int total = 0;

    mtx_init(&archive.guard, mtx_plain);
    for (int b = 0; b < BLOCKS; b++)
        for (int i = 0; i < BLOCK; i++)
            archive.input[b][i] = (unsigned char)(b % 4 == 2 ? i : i / 16);
    for (int i = 0; i < PACKERS; i++)
        thrd_create(&threads[i], packer, &archive);
    for (int i = 0; i < PACKERS; i++) {
        int blocks;

        thrd_join(threads[i], &blocks); /* allow: CT001 */
        total += blocks;
    }
    mtx_destroy(&archive.guard);
    printf("%d blocks, %d bytes packed, %d stored\n", total, archive.packed_bytes, archive.stored);
    return 0;
}
