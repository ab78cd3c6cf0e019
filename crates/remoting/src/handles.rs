//! What remoting touches: streams, tasks and time.

use runtime::{Clock, Net, Runtime, Tasks};

/// The doors that a [`Server`](crate::Server) or a [`Client`](crate::Client) goes through.
#[derive(Clone)]
pub struct Handles {
    /// Streams and listeners.
    pub net: Net,
    /// One task per connection, and one per request on the ordinary path.
    pub tasks: Tasks,
    /// Deadlines and the idle limit, by the monotonic clock.
    pub clock: Clock,
}

/// The doors of a server.
pub type ServerHandles = Handles;

/// The doors of a client.
pub type ClientHandles = Handles;

impl From<&Runtime> for Handles {
    fn from(runtime: &Runtime) -> Self {
        Self {
            net: runtime.net.clone(),
            tasks: runtime.tasks.clone(),
            clock: runtime.clock.clone(),
        }
    }
}
