/* Threads import journals into one ledger; a journal that does not balance leaves through a label below the unlock.
 *
 * clean: no
 * run: ok
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define ACCOUNTS 6
#define ENTRIES 20
#define CLERKS 3

struct entry {
	int from, to;
	long cents;
};

struct ledger {
	pthread_mutex_t lock;
	long balance[ACCOUNTS];
	long imported;
};

static struct ledger ledger = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int journal_read(struct entry *buf, int seed)
{
	int i;

	for (i = 0; i < ENTRIES; i++) {
		buf[i].from = (seed + i) % ACCOUNTS;
		buf[i].to = (seed + 2 * i + 1) % ACCOUNTS;
		buf[i].cents = 100 + (seed * 31 + i * 17) % 900;
	}
	return ENTRIES;
}

static int post_entry(struct ledger *l, const struct entry *e)
{
	if (e->cents <= 0 || e->from < 0 || e->from >= ACCOUNTS)
		return -EINVAL;
	l->balance[e->from] -= e->cents;
	l->balance[e->to] += e->cents;
	return 0;
}

static int import_journal(struct ledger *l, int seed)
{
	struct entry *buf;
	int n, i, err = 0;

	buf = malloc(ENTRIES * sizeof(*buf));
	if (!buf) {
		err = -ENOMEM;
		goto out;
	}
	n = journal_read(buf, seed);
	if (n < 1) {
		err = -ENODATA;
		goto out_free;
	}

	pthread_mutex_lock(&l->lock);		/* expect: CL004 #leak */
	for (i = 0; i < n; i++) {
		err = post_entry(l, &buf[i]);
		if (err)
			goto out_free;		/* expect: CL004 #leak */
	}
	l->imported += n;
	pthread_mutex_unlock(&l->lock);

out_free:
	free(buf);
out:
	return err;				/* expect: CL004 #leak */
}

static void *clerk(void *arg)
{
	int *status = arg;

	*status = import_journal(&ledger, *status);
	return NULL;
}

int main(void)
{
	pthread_t t[CLERKS];
	int status[CLERKS];
	long sum = 0;
	int i;

	for (i = 0; i < CLERKS; i++) {
		status[i] = 5 * i;
		pthread_create(&t[i], NULL, clerk, &status[i]);
	}
	for (i = 0; i < CLERKS; i++) {
		pthread_join(t[i], NULL);	/* allow: CT001 */
		if (status[i])
			fprintf(stderr, "journal %d: error %d\n", i, -status[i]);
	}
	for (i = 0; i < ACCOUNTS; i++)
		sum += ledger.balance[i];
	pthread_mutex_destroy(&ledger.lock);
	printf("%ld entries, sum %ld\n", ledger.imported, sum);
	return sum ? EXIT_FAILURE : EXIT_SUCCESS;
}
