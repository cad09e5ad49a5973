//! Threads that work on jobs and give the results back in the order of the jobs.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// A job, and where its result goes.
type Job<I, O> = (I, SyncSender<O>);

/// Works on jobs in parallel. What is in flight is bounded by who pushes: see [`Pool::is_full`].
pub(super) struct Pool<I, O> {
    /// `None` only while the pool is dropped.
    jobs: Option<Sender<Job<I, O>>>,
    workers: Vec<JoinHandle<()>>,
    pending: VecDeque<Receiver<O>>,
}

impl<I: Send + 'static, O: Send + 'static> Pool<I, O> {
    /// Starts `threads` workers, each made by `worker`.
    pub(super) fn new<W>(threads: NonZeroUsize, worker: impl Fn() -> W) -> Self
    where
        W: FnMut(I) -> O + Send + 'static,
    {
        let (jobs, queue) = channel::<Job<I, O>>();
        let queue = Arc::new(Mutex::new(queue));
        let workers = (0..threads.get())
            .map(|_| {
                let (queue, mut work) = (Arc::clone(&queue), worker());
                std::thread::spawn(move || {
                    loop {
                        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                        let Ok((input, result)) = job else { return };
                        // Nobody may wait for it any more; then it was in vain.
                        let _ = result.send(work(input));
                    }
                })
            })
            .collect();
        Self {
            jobs: Some(jobs),
            workers,
            pending: VecDeque::new(),
        }
    }

    /// Whether there is work enough: more would only take memory.
    pub(super) fn is_full(&self) -> bool {
        self.pending.len() > 2 * self.workers.len()
    }

    /// Gives out a job.
    pub(super) fn push(&mut self, input: I) {
        let (result, pending) = sync_channel(1);
        self.pending.push_back(pending);
        let jobs = self
            .jobs
            .as_ref()
            .expect("the queue is there until the pool is dropped");
        jobs.send((input, result))
            .expect("workers live as long as the pool");
    }

    /// Waits for the result of the oldest job; `None` where there is no job.
    pub(super) fn pop(&mut self) -> Option<O> {
        let oldest = self.pending.pop_front()?;
        Some(oldest.recv().expect("a worker gives a result for each job"))
    }
}

impl<I, O> Drop for Pool<I, O> {
    fn drop(&mut self) {
        self.pending.clear();
        self.jobs = None;
        for worker in self.workers.drain(..) {
            // A worker that panicked has said so already.
            let _ = worker.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_jobs() {
        let threads = NonZeroUsize::new(4).unwrap();
        let mut pool = Pool::new(threads, || {
            |n: u64| {
                std::thread::sleep(std::time::Duration::from_millis((7 * n) % 5));
                n * n
            }
        });
        let mut results = Vec::new();
        for n in 0..100 {
            if pool.is_full() {
                results.extend(pool.pop());
            }
            pool.push(n);
        }
        while let Some(result) = pool.pop() {
            results.push(result);
        }
        assert_eq!(results, (0..100).map(|n| n * n).collect::<Vec<_>>());
    }

    #[test]
    fn a_pool_with_work_in_flight_can_be_dropped() {
        let mut pool = Pool::new(NonZeroUsize::MIN, || |n: u32| n);
        (0..10).for_each(|n| pool.push(n));
    }
}
