/* A ray marcher that opens and maps a POSIX shared memory object for its depth map and then marches into a plain array.
 *
 * clean: no
 * bind: work=march_rows
 * run: ok
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIDE 48
#define THREADS 3
#define NAME "/ray-march-depth"

static float depth[SIDE][SIDE];
static float *shared_depth; /* expect: CS004 #1 */
static atomic_int next_row;

static float *map_depth(size_t size)
{
    void *base;
    int fd = shm_open(NAME, O_CREAT | O_RDWR, 0600); /* expect: CS004 #1 */

    if (fd < 0)
        return NULL;
    shm_unlink(NAME);
    if (ftruncate(fd, (off_t)size) != 0) {
        close(fd);
        return NULL;
    }
    base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0); /* expect: CS004 #1 */
    close(fd);
    return base == MAP_FAILED ? NULL : base;
}

static void *march_rows(void *unused)
{
    int row;

    (void)unused;
    while ((row = atomic_fetch_add(&next_row, 1)) < SIDE) {
        for (int column = 0; column < SIDE; column++) {
            float x = (float)column / SIDE - 0.5f, y = (float)row / SIDE - 0.5f, z = 0;

            while (z < 4.0f && x * x + y * y + (z - 2.0f) * (z - 2.0f) > 0.1f)
                z += 0.05f;
            depth[row][column] = z;
        }
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    int near = 0;

    shared_depth = map_depth(sizeof depth); /* expect: CS004 #1 */
    if (shared_depth == NULL) {
        perror("shared memory");
        return EXIT_FAILURE;
    }
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, march_rows, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int row = 0; row < SIDE; row++)
        for (int column = 0; column < SIDE; column++)
            near += depth[row][column] < 3.0f;
    munmap(shared_depth, sizeof depth);
    printf("%d rays hit the ball\n", near);
    return EXIT_SUCCESS;
}
