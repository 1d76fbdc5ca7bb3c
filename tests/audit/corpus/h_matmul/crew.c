#include "matmul.h"

static void mul_rows(double (*to)[MM_DIM], double (*from)[MM_DIM], double (*by)[MM_DIM], int row0, int row1)
{
    for (int i = row0; i < row1; i++)
        for (int j = 0; j < MM_DIM; j++) {
            double s = 0;

            for (int k = 0; k < MM_DIM; k++)
                s += from[i][k] * by[k][j];
            to[i][j] = s;
        }
}

void *mm_crew(void *arg)
{
    struct mm_hand *hand = arg;
    struct mm_ctx *mm = hand->mm;

    for (int n = 0; n < MM_POWERS; n++) {
        mul_rows(mm->p[(n + 1) & 1], mm->p[n & 1], mm->a, hand->row0, hand->row1);
        mm_sync(mm);
    }
    return NULL;
}
