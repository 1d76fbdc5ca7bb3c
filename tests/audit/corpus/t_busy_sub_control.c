/* Tree reduction over documents: each sub-control scores a page itself when its group has a page too many.
 *
 * clean: no
 * bind: work=score_page
 * run: ok
 */
#include <pthread.h>
#include <stdio.h>

#define GROUPS 2
#define READERS 3
#define PAGES_PER_GROUP 8
#define ROUNDS 3

struct group {
    pthread_barrier_t turn;
    int number;
    int round;
    long scores[READERS];
    long extra;
    long total;
};

struct reader {
    struct group *group;
    int index;
};

static long score_page(int group, int round, int page)
{
    long score = 0;
    for (int line = 0; line < 40; line++)
        score += (group * 131 + round * 31 + page * 7 + line) % 17;
    return score;
}

static void *reader_main(void *argument)
{
    struct reader *me = argument;
    struct group *group = me->group;
    int share = PAGES_PER_GROUP / READERS;

    for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&group->turn);
        long score = 0;
        for (int page = me->index * share; page < (me->index + 1) * share; page++)
            score += score_page(group->number, group->round, page);
        group->scores[me->index] = score;
        pthread_barrier_wait(&group->turn);
    }
    return NULL;
}

static void score_rest(struct group *group)
{
    group->extra = 0;
    for (int page = PAGES_PER_GROUP / READERS * READERS; page < PAGES_PER_GROUP; page++)
        group->extra += score_page(group->number, group->round, page); /* expect: CT004 #1 */
}

static void *group_main(void *argument) /* expect: CT004 #1 */
{
    struct group *group = argument;
    pthread_t threads[READERS];
    struct reader readers[READERS];

    pthread_barrier_init(&group->turn, NULL, READERS + 1);
    for (int i = 0; i < READERS; i++) {
        readers[i] = (struct reader){group, i};
        pthread_create(&threads[i], NULL, reader_main, &readers[i]);
    }
    for (group->round = 0; group->round < ROUNDS; group->round++) {
        pthread_barrier_wait(&group->turn);
        score_rest(group); /* expect: CT004 #1 */
        pthread_barrier_wait(&group->turn);
        group->total += group->extra;
        for (int i = 0; i < READERS; i++)
            group->total += group->scores[i];
    }
    for (int i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&group->turn);
    return NULL;
}

int main(void)
{
    static struct group groups[GROUPS];
    pthread_t threads[GROUPS];
    long total = 0;

    for (int g = 0; g < GROUPS; g++) {
        groups[g].number = g;
        pthread_create(&threads[g], NULL, group_main, &groups[g]);
    }
    for (int g = 0; g < GROUPS; g++) {
        pthread_join(threads[g], NULL);
        total += groups[g].total;
    }
    printf("total score %ld\n", total);
    return 0;
}
