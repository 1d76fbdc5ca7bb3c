/* sized: 3 actors, written by cllm-sim for SPIN.

   One transition is one step of one actor. SPIN counts one transition more than `cllm check --reductions none --races
   next` does: the arrival in the initial state. An invalid end state is a deadlock; a violated assertion is a step that
   breaks a rule (races are not looked for here).

       spin -a FILE && gcc -O2 -DNOREDUCE -DSAFETY -o pan pan.c
       ./pan -A -c0 -b -m1000000      (all states; errors: deadlocks)
       ./pan -E -c0 -b -m1000000      (all states; errors: steps that break a rule)

   Where everybody's text may stand:
   at_0
       0  sized.py:34  finished
   at_ann
       0  sized.py:67  acquire lock
       1  sized.py:68  read counter
       2  sized.py:69  sleep changed
       3  sized.py:69  sleep changed, asleep
       4  sized.py:69  sleep changed, woken
       5  sized.py:70  write counter 0
       6  sized.py:68  read counter
       7  sized.py:71  release lock
       8  sized.py:71  finished
   at_bob
       0  sized.py:75  acquire lock
       1  sized.py:76  read counter
       2  sized.py:77  write counter 1
       3  sized.py:78  notify changed
       4  sized.py:79  release lock
       5  sized.py:79  finished
*/

bool broken = false;  /* whether the present step breaks a rule; always false between steps */
byte at_0 = 0;
byte at_ann = 0;
byte at_bob = 0;
short mutex_lock = 0;  /* 0 free, else its owner + 1 */
int variable_counter = 0;

/* Nobody passes here. It reads what may only ever be written: SPIN leaves such variables out of its states. */
#define nothing_more (false && (variable_counter == 0))

inline judge() {
	assert(!broken);
	broken = false
}

active proctype everybody() {
	do
	:: d_step { at_ann == 0 && mutex_lock == 0 -> printf("ann  sized.py:67  acquire lock\n"); mutex_lock = 2; at_ann = 1 }
	:: d_step { at_ann == 1 && (variable_counter == 0) -> printf("ann  sized.py:68  read counter: the value is 0\n"); at_ann = 2 }
	:: d_step { at_ann == 1 && (variable_counter == 1) -> printf("ann  sized.py:68  read counter: the value is 1\n"); at_ann = 5 }
	:: d_step { at_ann == 1 && variable_counter != 0 && variable_counter != 1 -> printf("ann  sized.py:68  read counter: a value that the checker has not met\n"); assert(false) }
	:: d_step { at_ann == 2 -> printf("ann  sized.py:69  sleep changed: falls asleep\n"); broken = mutex_lock != 2; mutex_lock = 0; at_ann = 3; judge() }
	:: d_step { at_ann == 4 && mutex_lock == 0 -> printf("ann  sized.py:69  sleep changed: has the mutex again\n"); mutex_lock = 2; at_ann = 6 }
	:: d_step { at_ann == 5 -> printf("ann  sized.py:70  write counter 0\n"); variable_counter = 0; at_ann = 7 }
	:: d_step { at_ann == 6 && (variable_counter == 1) -> printf("ann  sized.py:68  read counter: the value is 1\n"); at_ann = 5 }
	:: d_step { at_ann == 6 && variable_counter != 1 -> printf("ann  sized.py:68  read counter: a value that the checker has not met\n"); assert(false) }
	:: d_step { at_ann == 7 && !(at_0 >= 0 && at_bob >= 5) -> printf("ann  sized.py:71  release lock\n"); broken = mutex_lock != 2; mutex_lock = 0; at_ann = 8; judge() }
	:: d_step { at_ann == 7 && at_0 >= 0 && at_bob >= 5 -> printf("ann  sized.py:71  release lock\n"); broken = mutex_lock != 2; mutex_lock = 0; at_ann = 8; judge() }; goto end_finished
	:: d_step { at_bob == 0 && mutex_lock == 0 -> printf("bob  sized.py:75  acquire lock\n"); mutex_lock = 3; at_bob = 1 }
	:: d_step { at_bob == 1 && (variable_counter == 0) -> printf("bob  sized.py:76  read counter: the value is 0\n"); at_bob = 2 }
	:: d_step { at_bob == 1 && variable_counter != 0 -> printf("bob  sized.py:76  read counter: a value that the checker has not met\n"); assert(false) }
	:: d_step { at_bob == 2 -> printf("bob  sized.py:77  write counter 1\n"); variable_counter = 1; at_bob = 3 }
	:: d_step { at_bob == 3 && at_ann == 3 -> printf("bob  sized.py:78  notify changed: wakes ann\n"); at_ann = 4; at_bob = 4 }
	:: d_step { at_bob == 3 && !(at_ann == 3) -> printf("bob  sized.py:78  notify changed: nobody sleeps\n"); at_bob = 4 }
	:: d_step { at_bob == 4 && !(at_0 >= 0 && at_ann >= 8) -> printf("bob  sized.py:79  release lock\n"); broken = mutex_lock != 3; mutex_lock = 0; at_bob = 5; judge() }
	:: d_step { at_bob == 4 && at_0 >= 0 && at_ann >= 8 -> printf("bob  sized.py:79  release lock\n"); broken = mutex_lock != 3; mutex_lock = 0; at_bob = 5; judge() }; goto end_finished
	od;
end_finished:
	nothing_more
}
