/* Matrix powers by a crew that meets after every product; the barrier also counts main, which only joins.
 *
 * clean: no
 * bind: work=mul_rows
 * check: deadlock
 * run: hang
 */
#include "matmul.h"

#include <stdio.h>

static struct mm_ctx mm;

static void fill(struct mm_ctx *m)
{
    for (int i = 0; i < MM_DIM; i++)
        for (int j = 0; j < MM_DIM; j++) {
            m->a[i][j] = i == j ? 0.5 : 0.01 * ((i + j) % 3);
            m->p[0][i][j] = i == j;
        }
}

int main(void)
{
    struct mm_hand hand[MM_CREW];
    pthread_t thread[MM_CREW];
    double trace = 0;

    fill(&mm);
    mm_setup(&mm, MM_PARTIES); /* expect: CB002 #count */
    for (int i = 0; i < MM_CREW; i++) {
        hand[i] = (struct mm_hand){&mm, MM_DIM * i / MM_CREW, MM_DIM * (i + 1) / MM_CREW};
        pthread_create(&thread[i], NULL, mm_crew, &hand[i]);
    }
    for (int i = 0; i < MM_CREW; i++)
        pthread_join(thread[i], NULL); /* allow: CT001 */
    mm_teardown(&mm);
    for (int i = 0; i < MM_DIM; i++)
        trace += mm.p[MM_POWERS & 1][i][i];
    printf("trace %f\n", trace);
    return 0;
}
