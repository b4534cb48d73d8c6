//! The world of a flow behind two sockets, as `vmyna portal` serves it: the portal on one, the phone
//! and the cards on the other. Time is the flow's own, and so are the cards.

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, Request, State};
use axum::middleware::{Next, map_response};
use axum::response::{IntoResponse, Response};
use axum_server::Handle;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::num::NonZeroU32;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;
use tokio::runtime::Runtime;
use vmyna::flow::World;
use vmyna::link::InProcess;
use vmyna::portal::desk::{self, Card, Cards, Circumstances, Table, Terminal};
use vmyna::portal::http::{OperatorToken, Site, router};
use vmyna::portal::seeded_randomness;

static SERVERS: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().expect("a runtime")
});

/// Longer than any request of the portal's.
const MOST: usize = 64 * 1024;

/// Where something was sent to the portal, and its fields.
type Posted = (String, BTreeMap<String, String>);

/// What was sent to the portal.
#[derive(Clone, Default)]
pub struct Sent(Arc<Mutex<Vec<Posted>>>);

impl Sent {
    /// The fields of the last callback.
    pub fn last_callback(&self) -> Option<BTreeMap<String, String>> {
        self.all().into_iter().rfind(|(place, _)| place == "/callback").map(|(_, fields)| fields)
    }

    /// All of it.
    pub fn all(&self) -> Vec<Posted> {
        self.0.lock().expect("nobody panics here").clone()
    }
}

async fn note(State(sent): State<Sent>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, MOST).await else {
        return axum::http::StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let place = parts.uri.path_and_query().map_or_else(String::new, ToString::to_string);
    let mut copy = Request::new(Body::from(bytes.clone()));
    (*copy.method_mut(), *copy.headers_mut()) = (parts.method.clone(), parts.headers.clone());
    let fields = axum::Form::<BTreeMap<String, String>>::from_request(copy, &()).await;
    let fields = fields.map_or_else(|_| BTreeMap::new(), |axum::Form(fields)| fields);
    sent.0.lock().expect("nobody panics here").push((place, fields));
    next.run(Request::from_parts(parts, Body::from(bytes))).await
}

/// A browser gives each page that is isolated like this a process of its own, which takes longer than
/// everything else in a flow. `portal_browser` visits the pages as they are.
async fn without_isolation(mut response: Response) -> Response {
    response.headers_mut().remove("cross-origin-opener-policy");
    response
}

/// A world that can be visited.
pub struct Served {
    pub origin: String,
    pub terminal: String,
    pub table: Arc<Table>,
    pub circumstances: Arc<Mutex<Circumstances>>,
    pub sent: Sent,
    operator: String,
    handle: Handle<SocketAddr>,
}

impl Served {
    pub fn of(world: &World) -> Self {
        let bind = || {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
            listener.set_nonblocking(true).expect("a socket");
            let origin = format!("http://{}", listener.local_addr().expect("an address"));
            (listener, origin)
        };
        let ((portal, origin), (phone, terminal)) = (bind(), bind());
        let wallet = world.wallet().clone();
        let cards = Cards::made_by(move |holder| Ok(Box::new(InProcess(wallet.card(Some(holder))?)) as Card));
        let table = Arc::new(Table::new(world.holder(), cards, Duration::ZERO));
        let operator = OperatorToken::draw(&mut seeded_randomness(2));
        let (circumstances, sent) = (Arc::<Mutex<Circumstances>>::default(), Sent::default());
        let desk = desk::router(Terminal {
            table: table.clone(),
            origin: terminal.clone(),
            portal: origin.clone(),
            can_swap: true,
            clock: world.clock().of_terminal(),
            circumstances: circumstances.clone(),
        });
        let token = operator.as_str().to_owned();
        let site = Site {
            portal: world.portal().clone(),
            origin: origin.clone(),
            terminal: Some(terminal.clone()),
            operator,
            rate: NonZeroU32::MAX,
        };
        let site = router(site).layer(axum::middleware::from_fn_with_state(sent.clone(), note));
        let (site, desk) = [site, desk].map(|router| router.layer(map_response(without_isolation))).into();
        let handle = Handle::new();
        let _entered = SERVERS.enter();
        for (listener, router) in [(portal, site), (phone, desk)] {
            let service = router.into_make_service_with_connect_info::<SocketAddr>();
            let server = axum_server::from_tcp(listener).expect("a socket").handle(handle.clone());
            SERVERS.spawn(server.serve(service));
        }
        Self { origin, terminal, table, circumstances, sent, operator: token, handle }
    }

    /// The operator presses a button.
    pub fn operate(&self, action: &str) {
        let agent: ureq::Agent = ureq::Agent::config_builder().max_redirects(0).build().into();
        let bearer = format!("Bearer {}", self.operator);
        let post = agent.post(format!("{}/operator", self.origin)).header("authorization", bearer);
        let reply = post.send_form([("action", action)]).expect("the portal answers");
        assert_eq!(reply.status(), 303, "the operator is admitted");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.table.end();
        self.handle.shutdown();
    }
}
