/* Tree of two sub-controls with two leaves each under one root: orders go down and gradients come up by barriers only.
 *
 * clean: yes
 * bind: work=leaf_gradient
 * check: holds
 * run: ok
 */
#include <pthread.h>
#include <stdio.h>

enum { GROUPS = 2, LEAVES = 2, WIDTH = 5, BATCHES = 6 };
enum order { ORDER_BATCH, ORDER_STOP };

static struct group {
    pthread_barrier_t point;
    enum order order;
    int batch;
    float segment[LEAVES][WIDTH];
    float sum[WIDTH];
} groups[GROUPS];

static struct {
    pthread_barrier_t point;
    enum order order;
    int batch;
    float weights[WIDTH];
} root;

struct leaf {
    struct group *group;
    int index;
};

static void leaf_gradient(float *segment, int seed)
{
    for (int i = 0; i < WIDTH; i++)
        segment[i] = root.weights[i] - (float)((seed * 5 + i) % 11) / 11.0f;
}

static void *leaf_main(void *argument)
{
    struct leaf *me = argument;
    struct group *group = me->group;
    for (;;) {
        pthread_barrier_wait(&group->point);
        if (group->order == ORDER_STOP)
            return NULL;
        leaf_gradient(group->segment[me->index], group->batch + me->index);
        pthread_barrier_wait(&group->point);
    }
}

static void fold_group(struct group *group)
{
    for (int i = 0; i < WIDTH; i++) {
        group->sum[i] = 0.0f;
        for (int leaf = 0; leaf < LEAVES; leaf++)
            group->sum[i] += group->segment[leaf][i];
    }
}

static void *sub_control_main(void *argument)
{
    struct group *group = argument;
    for (;;) {
        pthread_barrier_wait(&root.point);
        enum order order = root.order;
        group->order = order;
        group->batch = root.batch;
        pthread_barrier_wait(&group->point);
        if (order == ORDER_STOP)
            return NULL;
        pthread_barrier_wait(&group->point);
        fold_group(group);
        pthread_barrier_wait(&root.point);
    }
}

static void *root_main(void *argument)
{
    (void)argument;
    for (int batch = 0; batch < BATCHES; batch++) {
        root.order = ORDER_BATCH;
        root.batch = batch;
        pthread_barrier_wait(&root.point);
        pthread_barrier_wait(&root.point);
        for (int i = 0; i < WIDTH; i++)
            for (int g = 0; g < GROUPS; g++)
                root.weights[i] -= 0.1f * groups[g].sum[i];
    }
    root.order = ORDER_STOP;
    pthread_barrier_wait(&root.point);
    return NULL;
}

int main(void)
{
    pthread_t root_thread, control_threads[GROUPS], leaf_threads[GROUPS][LEAVES];
    struct leaf leaves[GROUPS][LEAVES];

    pthread_barrier_init(&root.point, NULL, GROUPS + 1);
    for (int g = 0; g < GROUPS; g++) {
        pthread_barrier_init(&groups[g].point, NULL, LEAVES + 1);
        pthread_create(&control_threads[g], NULL, sub_control_main, &groups[g]);
        for (int i = 0; i < LEAVES; i++) {
            leaves[g][i] = (struct leaf){&groups[g], i};
            pthread_create(&leaf_threads[g][i], NULL, leaf_main, &leaves[g][i]);
        }
    }
    pthread_create(&root_thread, NULL, root_main, NULL);

    pthread_join(root_thread, NULL);
    for (int g = 0; g < GROUPS; g++) {
        pthread_join(control_threads[g], NULL);
        for (int i = 0; i < LEAVES; i++)
            pthread_join(leaf_threads[g][i], NULL);
        pthread_barrier_destroy(&groups[g].point);
    }
    pthread_barrier_destroy(&root.point);
    for (int i = 0; i < WIDTH; i++)
        printf("%.4f ", root.weights[i]);
    putchar('\n');
    return 0;
}
