//! The store in the simulator: what it promises, against everything that may happen to it.

mod boundary;
mod catch_up;
mod cleaning;
mod cold;
mod crash;
mod crash_points;
mod damage;
mod empty_queue;
mod flow;
mod full_disk;
mod golden;
mod ground;
mod inspect;
mod keys;
mod poison;
mod pool;
mod queues;
mod reading;
mod recovery;
mod rocketmq;
