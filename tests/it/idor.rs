//! The matrix of who may not (console.md 4 H, S-89), made from the console's own table of addresses: each address is tried
//! by nobody, by every role that lacks its permission, by an owner of another org who names our objects, and by members of
//! our org who name what is not theirs. A new address whose object is not named here fails.

use bytespike_accounts::role::{Permission, Role};
use bytespike_console::routes::{ADDRESSES, Address};
use bytespike_store::{Store, on_database, sqlx};
use bytespike_tests::database::{number, rows};
use bytespike_tests::http::Answer;
use bytespike_tests::person::{Form, Person};
use bytespike_tests::product::CLAUDE;
use bytespike_tests::speaker::Speaker;
use bytespike_tests::stage::Stage;
use bytespike_tests::stripe::Stripe;

const METHODS: [&str; 2] = ["GET", "POST"];
/// What an invoice says.
const INVOICE: &str = r#"{"seller":{"name":"Us","address":[],"tax_ids":[],"email":"","note_en":"","note_zh":""},"buyer":{"legal_name":"Them","address":"","country":"","tax_ids":[],"email":"","language":""},"cause":"paid","order_id":"ord_ours","payment_id":null,"paid_nano":10000000000,"bonus_nano":0,"rate":null,"moved_at_ms":1,"about":null}"#;
/// Well formed, and nobody's.
const NOBODYS: &str = "00000000000000000000000000000000";

/// What the parameter of an address names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Object {
    Key,
    Receipt,
    Grant,
    Program,
    Session,
    Org,
    Member,
    Invitation,
    Deployment,
    LimitNode,
    QuotaRequest,
    Webhook,
    /// What the org was told.
    Notice,
    /// What somebody paid.
    Order,
    Invoice,
    /// What operators announce to everybody: no object of anybody's.
    Announcement,
    Passkey,
    /// The copy of somebody's data.
    DataCopy,
    /// A calendar month: no object of anybody's.
    Month,
    /// Who signs people in elsewhere: no object of anybody's.
    Provider,
}

/// The object of each address that has one.
fn object_of(path: &str) -> Option<Object> {
    let starts = [
        ("/console/keys/{id}", Object::Key),
        ("/console/receipts/{id}", Object::Receipt),
        ("/console/apps/{grant}", Object::Grant),
        ("/console/apps/programs/{id}", Object::Program),
        ("/console/settings/sessions/{id}", Object::Session),
        ("/console/orgs/{id}", Object::Org),
        ("/console/members/{id}", Object::Member),
        ("/console/members/invitations/{id}", Object::Invitation),
        ("/console/deployments/{id}", Object::Deployment),
        ("/console/limits/node/{node}", Object::LimitNode),
        ("/console/limits/requests/{id}", Object::QuotaRequest),
        ("/console/settings/security/identities/{provider}", Object::Provider),
        ("/console/statements/{month}", Object::Month),
        ("/console/wallet/orders/{id}", Object::Order),
        ("/console/webhooks/{id}", Object::Webhook),
        ("/console/notices/{id}", Object::Notice),
        ("/console/wallet/invoices/{id}", Object::Invoice),
        ("/console/announcements/{id}", Object::Announcement),
        ("/console/settings/security/passkeys/{id}", Object::Passkey),
        ("/console/settings/data/copies/{id}", Object::DataCopy),
    ];
    let found = starts.into_iter().find(|(start, _)| path.starts_with(start)).map(|(_, object)| object);
    assert!(
        found.is_some() || !path.contains('{'),
        "{path} names an object: say in object_of which, and in ids_of where one comes from"
    );
    found
}

impl Object {
    /// Who of the same org may name one that is somebody else's; nobody, if none.
    fn seen_with(self) -> Option<Permission> {
        match self {
            Object::Key => Some(Permission::ManageOrgKeys),
            Object::Receipt => Some(Permission::SeeOrgUsage),
            Object::Member => Some(Permission::SeeMembers),
            Object::Program => Some(Permission::ManagePrograms),
            Object::Invitation => Some(Permission::ManageMembers),
            Object::Deployment => Some(Permission::SeeOrgUsage),
            Object::LimitNode | Object::QuotaRequest => Some(Permission::SetLimits),
            Object::Grant | Object::Session | Object::Org | Object::Passkey | Object::DataCopy => None,
            Object::Month | Object::Order | Object::Invoice => Some(Permission::Billing),
            Object::Provider => Some(Permission::ManageSelf),
            Object::Webhook => Some(Permission::ManageOrg),
            Object::Announcement => Some(Permission::SeeOwnUsage),
            Object::Notice => Some(Permission::SeeOrgUsage),
        }
    }
}

/// Our org's objects, all of them the owner's.
pub(crate) struct Ours(Vec<(Object, String)>);

impl Ours {
    fn id(&self, object: Object) -> &str {
        &self.0.iter().find(|(kind, _)| *kind == object).expect("one of each").1
    }

    pub(crate) fn in_path(&self, address: &Address) -> String {
        match object_of(address.path) {
            Some(object) => filled(address, self.id(object)),
            None => address.path.to_owned(),
        }
    }
}

fn filled(address: &Address, id: &str) -> String {
    let (start, rest) = address.path.split_once('{').expect("a parameter");
    format!("{start}{id}{}", rest.split_once('}').expect("closed").1)
}

async fn one(store: &Store, sql: &'static str) -> String {
    rows(store, sql).await.first().expect("a row")[0].clone()
}

/// Everything that an address can name, made through the pages; a permission given to a program as a row.
pub(crate) async fn ours(stage: &mut Stage) -> Ours {
    let on = stage.person.post("/console/settings/bodies/on", &[("days", "30")]).await;
    assert_eq!(on.status, 303, "{}", on.text());
    let _ = stage.ask(Speaker::Anthropic, &Speaker::Anthropic.ask(CLAUDE, false)).await.expect_status(200);
    let made = stage.person.post("/console/deployments/new", &[("name", "production")]).await;
    assert_eq!(made.status, 303, "{}", made.text());
    let page = stage.person.open("/console/apps/programs/new").await.expect_status(200);
    let form = Form::with(&page.text(), "name")
        .set("name", "Our program")
        .set("redirect_uris", "http://127.0.0.1/callback");
    let _ = stage.person.submit(&form).await;
    let _ = stage.person.invite("later@example.com", "viewer").await;
    let store = stage.product.database.connect().await;
    bytespike_tests::until("what the call said is kept", async || {
        number(&store, "select count(*) from call_body").await == 1
    })
    .await;
    let grant = "insert into oauth_grant (id, client_id, client_name, client_place, person_id, org_id, member_id, scopes_json,
                     key_bounds_json, ends_at_ms, created_at_ms)
                 select 'grt_ours', 'dosia-desktop', 'DOSIA', 'here', person_id, org_id, id, '[]', '{}',
                     9000000000000, created_at_ms from member order by created_at_ms limit 1";
    on_database!(&store, db => sqlx::query(grant).execute(db).await.map(drop)).unwrap();
    let request = "insert into quota_request (id, org_id, member_id, node_id, limit_name, wanted, reason, created_at_ms)
                   select 'qrq_ours', org_id, id, 'mem:' || id, 'month', 1000, 'more', created_at_ms
                   from member order by created_at_ms limit 1";
    on_database!(&store, db => sqlx::query(request).execute(db).await.map(drop)).unwrap();
    let order = "insert into payment_order (id, org_id, person_id, form_key, state, currency, amount_minor, paid_nano, created_at_ms)
                 select 'ord_ours', org_id, person_id, 'once', 'credited', 'usd', 1000, 10000000000, created_at_ms
                 from member order by created_at_ms limit 1";
    on_database!(&store, db => sqlx::query(order).execute(db).await.map(drop)).unwrap();
    let page = stage.person.open("/console/webhooks/new").await.expect_status(200);
    let form = Form::with(&page.text(), "url").set("url", "https://hooks.example.com/");
    let _ = stage.person.submit(&form).await.expect_status(200);
    let told = "insert into outbox (id, org_id, kind, subject, payload_json, created_at_ms, webhooks_at_ms)
                select 'evt_ours', id, 'low_balance', 'org:' || id, '{}', created_at_ms + 1, 1 from org order by created_at_ms limit 1";
    on_database!(&store, db => sqlx::query(told).execute(db).await.map(drop)).unwrap();
    let invoice = "insert into invoice (id, org_id, order_id, subject, kind, series, number, currency, amount_minor, content_json,
                     issued_at_ms)
                 select 'inv_ours', org_id, id, 'order:ord_ours', 'invoice', 'INV-', 1, currency, amount_minor, $1, created_at_ms
                 from payment_order where id = 'ord_ours'";
    on_database!(&store, db => sqlx::query(invoice).bind(INVOICE).execute(db).await.map(drop)).unwrap();
    let passkey = "insert into passkey (id, credential_id, person_id, name, fixed_state, moving_state, created_at_ms)
                   select 'psk_ours', 'its own', person_id, 'phone', '', '', created_at_ms from member order by created_at_ms limit 1";
    on_database!(&store, db => sqlx::query(passkey).execute(db).await.map(drop)).unwrap();
    let copy = "insert into data_export (id, person_id, state, asked_at_ms, ready_at_ms, expires_at_ms)
                select 'exp_ours', person_id, 'ready', 1, 1, 9000000000000 from member order by created_at_ms limit 1";
    on_database!(&store, db => sqlx::query(copy).execute(db).await.map(drop)).unwrap();
    let ours = Ours(vec![
        (Object::Key, one(&store, "select id from api_key").await),
        (Object::Receipt, one(&store, "select id from reservation").await),
        (Object::Grant, "grt_ours".to_owned()),
        (Object::Program, one(&store, "select id from oauth_client").await),
        (Object::Session, one(&store, "select public_id from session where person_id is not null").await),
        (Object::Org, one(&store, "select id from org").await),
        (Object::Member, one(&store, "select id from member").await),
        (Object::Invitation, one(&store, "select id from invitation where state = 'open'").await),
        (Object::Deployment, one(&store, "select id from deployment where slug <> 'default'").await),
        (Object::LimitNode, one(&store, "select 'mem:' || id from member").await),
        (Object::QuotaRequest, "qrq_ours".to_owned()),
        (Object::Order, "ord_ours".to_owned()),
        (Object::Notice, "evt_ours".to_owned()),
        (Object::Webhook, one(&store, "select id from webhook_endpoint").await),
        (Object::Invoice, "inv_ours".to_owned()),
        (Object::Passkey, "psk_ours".to_owned()),
        (Object::DataCopy, "exp_ours".to_owned()),
        (Object::Month, "2026-01".to_owned()),
        (Object::Provider, "github".to_owned()),
        (Object::Announcement, NOBODYS.to_owned()),
    ]);
    store.close().await;
    ours
}

/// A stage that takes payments, so that what stands on them is there to be refused.
async fn stage() -> (Stage, Stripe) {
    let stripe = Stripe::start().await;
    (Stage::with(|setup| stripe.wire(setup)).await, stripe)
}

/// Someone of each role but owner who joined the org and looks at it.
pub(crate) async fn members(stage: &mut Stage) -> Vec<(Role, Person)> {
    let mut members = Vec::new();
    for role in [Role::Admin, Role::Billing, Role::Developer, Role::Viewer] {
        let email = format!("{}@example.com", role.as_str());
        let link = stage.person.invite(&email, role.as_str()).await;
        let mut person = Person::new(&stage.product, &email);
        person.sign_up().await;
        person.accept(&link).await;
        members.push((role, person));
    }
    members
}

async fn ask(person: &mut Person, method: &str, path: &str) -> Answer {
    if method == "GET" { person.get(path).await } else { person.post(path, &[]).await }
}

fn is_refused(answer: &Answer) -> bool {
    matches!(answer.status, 403..=405)
}

/// The page without what differs from answer to answer.
fn shape(answer: &Answer, id: &str) -> String {
    answer.text().replace(id, "ID").replace(NOBODYS, "ID")
}

#[tokio::test]
async fn s89_s90_whoever_may_not_is_refused_at_every_address_of_the_console() {
    let (mut stage, _stripe) = stage().await;
    let ours = ours(&mut stage).await;
    let mut members = members(&mut stage).await;
    let mut stranger = Person::new(&stage.product, "stranger@example.com");
    stranger.sign_up().await;
    let mut nobody = Person::new(&stage.product, "nobody@example.com");
    let store = stage.product.database.connect().await;
    let changes = "select count(*) from audit_event where event not like 'person.%'";
    let before = number(&store, changes).await;

    for address in ADDRESSES {
        let path = ours.in_path(address);
        let mut methods = 0;
        for method in METHODS {
            let anonymous =
                if method == "GET" { nobody.get(&path).await } else { nobody.post(&path, &[]).await };
            if anonymous.status == 405 {
                continue;
            }
            methods += 1;
            let to = anonymous.maybe("location").unwrap_or_default().to_owned();
            assert!(to.contains("/console/sign-in"), "{method} {path} lets nobody in: {}", anonymous.status);
            for (role, person) in &mut members {
                let object = object_of(address.path);
                let sees =
                    object.is_none_or(|object| object.seen_with().is_some_and(|needs| role.may(needs)));
                if role.may(address.needs) && sees {
                    continue;
                }
                // One's own org is one's own to open.
                if object == Some(Object::Org) {
                    continue;
                }
                let answer = ask(person, method, &path).await;
                assert!(is_refused(&answer), "{role:?} {method} {path}: {}", answer.status);
            }
            let Some(object) = object_of(address.path).filter(|object| !{
                !matches!(object, Object::Month | Object::Provider | Object::Announcement)
            }) else {
                continue;
            };
            let answer = ask(&mut stranger, method, &path).await;
            assert!(matches!(answer.status, 403 | 404), "a stranger's {method} {path}: {}", answer.status);
            let missing = ask(&mut stranger, method, &filled(address, NOBODYS)).await;
            assert_eq!(
                (answer.status, shape(&answer, ours.id(object))),
                (missing.status, shape(&missing, NOBODYS)),
                "s90 {method} {path}"
            );
        }
        assert!(methods > 0, "{path} is in the table and answers nothing");
    }
    assert_eq!(number(&store, changes).await, before, "what was refused changed nothing");
    store.close().await;
}

#[tokio::test]
async fn the_owner_is_let_in_wherever_the_others_were_refused() {
    let (mut stage, _stripe) = stage().await;
    let ours = ours(&mut stage).await;
    for address in ADDRESSES {
        let path = ours.in_path(address);
        let answer = stage.person.get(&path).await;
        // Some pages want what is not there: a program's request, a month that was closed, a limit that refused, a host with a name.
        let is_page = matches!(answer.status, 200 | 303 | 307 | 405);
        let wants_more = [
            "/oauth/consent",
            "/console/statements/",
            "/limits/ask",
            "/messages/",
            "/archive",
            "/passkeys/new",
            "/transfer",
            "/remove",
            "/revoke",
        ];
        let may_miss = wants_more.iter().any(|part| path.contains(part));
        assert!(
            is_page || (may_miss && matches!(answer.status, 400 | 403 | 404 | 409 | 422)),
            "{path}: {}",
            answer.status
        );
    }
}
