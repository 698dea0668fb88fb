/* Tasks: units of work embedded in their owner, on circular lists; queuing and canceling are a few pointers.
 * It does not decide when a list is run: that is the turn's business.
 * Read first: loop/loop.h, "phases of a turn". */
#include "loop/state.h"

void tusk__tasks_init(tusk__task *list)
{
    list->next = list->prev = list;
    list->fn = NULL;
}

bool tusk__tasks_empty(const tusk__task *list)
{
    return list->next == list;
}

static void append(tusk__task *list, tusk__task *task, void (*fn)(tusk__task *task))
{
    if (task->next)
        return;
    task->fn = fn;
    task->next = list;
    task->prev = list->prev;
    list->prev->next = task;
    list->prev = task;
}

void tusk__task_unlink(tusk__task *task)
{
    task->next->prev = task->prev;
    task->prev->next = task->next;
    task->next = task->prev = NULL;
}

static void move_all(tusk__task *from, tusk__task *to)
{
    to->next = from->next;
    to->prev = from->prev;
    to->next->prev = to->prev->next = to;
    tusk__tasks_init(from);
}

/* The batch is a list like the others, so that a task can take its neighbour off it. */
void tusk__tasks_run(tusk__task *list)
{
    tusk__task batch;

    if (tusk__tasks_empty(list))
        return;
    move_all(list, &batch);
    while (!tusk__tasks_empty(&batch)) {
        tusk__task *task = batch.next;
        tusk__task_unlink(task);
        task->fn(task);
    }
}

void tusk__loop_flush_soon(tusk_loop *loop, tusk__task *task, void (*fn)(tusk__task *task))
{
    append(&loop->flush, task, fn);
    tusk__loop_ring(loop);
}

void tusk__loop_defer(tusk_loop *loop, tusk__task *task, void (*fn)(tusk__task *task))
{
    append(&loop->deferred, task, fn);
    tusk__loop_ring(loop);
}
