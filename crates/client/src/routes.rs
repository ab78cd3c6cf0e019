//! The routes of the topics in use: asked for when first needed, then every 30 s.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use message::topic;
use protocol::body::TopicRouteData;
use protocol::header::GetRouteInfoRequestHeader;
use protocol::{RemotingCommand, RequestCode, ResponseCode};

use crate::error::ClientError;
use crate::link::{Link, unreadable};
use crate::route::{MASTER_ID, Route};

/// The routes that this client knows.
#[derive(Default)]
pub(crate) struct Routes(Mutex<BTreeMap<String, Arc<Route>>>);

impl Routes {
    /// What is known about a topic, without asking.
    pub(crate) fn known(&self, topic: &str) -> Option<Arc<Route>> {
        self.routes().get(topic).cloned()
    }

    /// The route to read a topic by.
    pub(crate) async fn to_read(
        &self,
        link: &Link,
        topic: &str,
    ) -> Result<Arc<Route>, ClientError> {
        match self.known(topic) {
            Some(route) if !route.subscribe.is_empty() => Ok(route),
            _ => self.refresh(link, topic).await,
        }
    }

    /// The route to send to a topic by. One that does not exist gets the route that the first send
    /// will give it, when some broker offers that.
    pub(crate) async fn to_send(
        &self,
        link: &Link,
        topic: &str,
        queues_max: u32,
    ) -> Result<Arc<Route>, ClientError> {
        if let Some(route) = self.known(topic).filter(|route| !route.publish.is_empty()) {
            return Ok(route);
        }
        match self.refresh(link, topic).await {
            Err(ClientError::TopicUnknown { .. }) => {}
            settled => return settled,
        }
        let unknown = || ClientError::TopicUnknown { topic: topic.to_owned() };
        let template = match ask(link, topic::AUTO_CREATE).await {
            Err(ClientError::TopicUnknown { .. }) => return Err(unknown()),
            settled => settled?,
        };
        let route = Route::from_template(topic, &template, queues_max);
        if route.publish.is_empty() {
            return Err(unknown());
        }
        Ok(self.keep(topic, route).0)
    }

    /// Asks for a topic's route and keeps it.
    pub(crate) async fn refresh(
        &self,
        link: &Link,
        topic: &str,
    ) -> Result<Arc<Route>, ClientError> {
        let data = ask(link, topic).await?;
        Ok(self.keep(topic, Route::new(topic, &data)).0)
    }

    /// Asks for the routes of every topic known and of `more`; true when one changed. What cannot
    /// be had stays as it was: brokers serve also while no name server does.
    pub(crate) async fn poll(&self, link: &Link, more: Vec<String>) -> bool {
        let mut topics: BTreeSet<String> = self.routes().keys().cloned().collect();
        topics.extend(more);
        let mut changed = false;
        for topic in topics {
            match ask(link, &topic).await {
                Ok(data) => changed |= self.keep(&topic, Route::new(&topic, &data)).1,
                Err(error) => tracing::debug!(%topic, %error, "the route is not known anew"),
            }
        }
        changed
    }

    /// The addresses of all brokers known, sorted; without slaves if only `masters`.
    pub(crate) fn brokers(&self, masters: bool) -> BTreeSet<String> {
        let routes = self.routes();
        let tables = routes.values().flat_map(|route| route.brokers.values());
        let all = tables.flat_map(|table| table.iter());
        all.filter(|(id, _)| !masters || **id == MASTER_ID).map(|(_, at)| at.clone()).collect()
    }

    /// Keeps a route; with it, whether it is another than before.
    fn keep(&self, topic: &str, route: Route) -> (Arc<Route>, bool) {
        let mut routes = self.routes();
        if let Some(same) = routes.get(topic).filter(|known| ***known == route) {
            return (same.clone(), false);
        }
        let route = Arc::new(route);
        routes.insert(topic.to_owned(), route.clone());
        (route, true)
    }

    fn routes(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Route>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks a name server for the route of a topic.
async fn ask(link: &Link, topic: &str) -> Result<TopicRouteData, ClientError> {
    let header = GetRouteInfoRequestHeader {
        topic: topic.to_owned(),
        accept_standard_json_only: Some(true),
    };
    let command = RemotingCommand::request(RequestCode::GET_ROUTEINFO_BY_TOPIC, &header);
    let answer = match link.ask_namesrv(&command).await {
        Err(ClientError::Refused { code: ResponseCode::TOPIC_NOT_EXIST, .. }) => {
            return Err(ClientError::TopicUnknown { topic: topic.to_owned() });
        }
        settled => settled?,
    };
    TopicRouteData::decode(&answer.body).map_err(|error| unreadable("the name server", error))
}
