//! Probes: the only trace of the simulator inside the product.
//!
//! They are no-ops in a release build (`debug_assertions` off), and silent where no observer is
//! installed. The observer is of the thread, because one seed runs on one thread.

use std::cell::RefCell;
use std::rc::Rc;

/// Who watches the probes of this thread.
pub trait Observer {
    /// The condition `name` was reached, and it held or not.
    fn sometimes(&self, name: &'static str, held: bool);
    /// Whether the site `name` shall misbehave this time.
    fn buggify(&self, name: &'static str) -> bool;
}

thread_local! {
    static OBSERVER: RefCell<Option<Rc<dyn Observer>>> = const { RefCell::new(None) };
}

/// Installs the observer of this thread, or removes it.
pub fn install(observer: Option<Rc<dyn Observer>>) {
    OBSERVER.with(|slot| *slot.borrow_mut() = observer);
}

/// Tells the observer of this thread; called by [`sometimes!`](crate::sometimes).
pub fn report(name: &'static str, held: bool) {
    if let Some(observer) = OBSERVER.with(|slot| slot.borrow().clone()) {
        observer.sometimes(name, held);
    }
}

/// Asks the observer of this thread; called by [`buggify!`](crate::buggify).
pub fn misbehave(name: &'static str) -> bool {
    OBSERVER.with(|slot| slot.borrow().clone()).is_some_and(|observer| observer.buggify(name))
}

/// Marks something that must happen in some run: a goal that the coverage report counts.
#[macro_export]
macro_rules! sometimes {
    ($name:literal) => {
        $crate::sometimes!($name, true)
    };
    ($name:literal, $condition:expr) => {
        if cfg!(debug_assertions) {
            $crate::probe::report($name, $condition);
        }
    };
}

/// Whether to take the rare path here: never in a release build, at the observer's will otherwise.
#[macro_export]
macro_rules! buggify {
    ($name:literal) => {
        cfg!(debug_assertions) && $crate::probe::misbehave($name)
    };
}

/// Something that must hold wherever it is reached; checked unless it is a release build.
#[macro_export]
macro_rules! always {
    ($condition:expr, $($message:tt)+) => {
        debug_assert!($condition, $($message)+)
    };
}
