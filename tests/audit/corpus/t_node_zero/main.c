/* Node zero in three files: a control that only orders and folds, workers that write one gradient segment each.
 *
 * clean: yes
 * check: holds
 * run: ok
 */
#include "node_zero.h"

#include <stdio.h>
#include <stdlib.h>

static void die(const char *what)
{
    fprintf(stderr, "%s failed\n", what);
    exit(EXIT_FAILURE);
}

static void team_init(struct nz_team *team)
{
    if (pthread_barrier_init(&team->point_a, NULL, NZ_WORKERS + 1) != 0)
        die("point A");
    if (pthread_barrier_init(&team->point_b, NULL, NZ_WORKERS + 1) != 0)
        die("point B");
}

static void team_destroy(struct nz_team *team)
{
    pthread_barrier_destroy(&team->point_b);
    pthread_barrier_destroy(&team->point_a);
}

int main(void)
{
    struct nz_team *team = calloc(1, sizeof *team);
    struct nz_worker workers[NZ_WORKERS];
    pthread_t control;

    if (team == NULL)
        die("allocation");
    team_init(team);
    for (int w = 0; w < NZ_WORKERS; w++) {
        workers[w].team = team;
        workers[w].index = w;
        if (pthread_create(&workers[w].thread, NULL, nz_worker_main, &workers[w]) != 0)
            die("worker");
    }
    if (pthread_create(&control, NULL, nz_control_main, team) != 0)
        die("control");

    pthread_join(control, NULL);
    for (int w = 0; w < NZ_WORKERS; w++)
        pthread_join(workers[w].thread, NULL);
    team_destroy(team);
    for (int p = 0; p < NZ_PARAMETERS; p += 5)
        printf("weight %d: %.4f\n", p, team->weights[p]);
    free(team);
    return 0;
}
