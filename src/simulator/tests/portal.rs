//! The portal over HTTP.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use jiff::civil::{Date, date};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{TODAY, drawn};
use crate::simulator::{
    CLIENT_ID, CLIENT_SECRET, Portal, SEARCH_PATH, SimulatedDay, SimulatorError, TOKEN_PATH, serve,
};

/// Sends one request; status and body of the answer.
async fn exchange(address: SocketAddr, head: &str, body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(address).await.expect("the portal listens");
    let length = body.len();
    let request = format!("{head}Host: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await.expect("the portal reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("the portal answers in UTF-8");
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
    let status = head[9..12].parse().expect("a status is a number");
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

async fn token(address: SocketAddr, secret: &str) -> (u16, Value) {
    let head = format!("POST {TOKEN_PATH} HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n");
    let body = format!("grant_type=client_credentials&client_id={CLIENT_ID}&client_secret={secret}");
    exchange(address, &head, &body).await
}

async fn search(address: SocketAddr, token: &str, query: &str) -> (u16, Value) {
    let head = format!("GET {SEARCH_PATH}?{query} HTTP/1.1\r\nAuthorization: Bearer {token}\r\n");
    exchange(address, &head, "").await
}

/// Records of all pages of a query.
async fn pages(address: SocketAddr, token: &str, query: &str) -> Vec<Value> {
    let mut records = Vec::new();
    for page in 0.. {
        let (status, mut slice) = search(address, token, &format!("{query}&page={page}")).await;
        assert_eq!(status, 200, "{slice}");
        assert_eq!(slice["first"], Value::from(page == 0));
        let content = slice["content"].as_array_mut().expect("a slice has content");
        records.append(content);
        if slice["last"] == true {
            break;
        }
    }
    records
}

fn ids(records: &[Value]) -> BTreeSet<String> {
    records.iter().map(|record| record["id"].as_str().expect("records have ids").to_owned()).collect()
}

async fn portal(dossiers: usize, seed: u64, day: Date) -> (Portal, SimulatedDay, String) {
    let day = SimulatedDay::new(day);
    let bind = SocketAddr::from(([127, 0, 0, 1], 0));
    let portal = serve(Arc::new(drawn(dossiers, seed)), bind, day.clone()).await.expect("loopback has a free port");
    let (_, grant) = token(portal.address, CLIENT_SECRET).await;
    let token = grant["access_token"].as_str().expect("the secret is right").to_owned();
    (portal, day, token)
}

#[tokio::test]
async fn only_a_fresh_token_is_served() {
    let (portal, _, good) = portal(50, 1, TODAY).await;
    assert_eq!(search(portal.address, "", "").await.0, 401);
    assert_eq!(search(portal.address, "simulated.99999999.token", "").await.0, 401);
    assert_eq!(token(portal.address, "wrong").await.0, 401);
    assert_eq!(search(portal.address, &good, "").await.0, 200);
    assert_eq!(search(portal.address, &good, "page=x").await.0, 400);
    portal.expire_tokens();
    assert_eq!(search(portal.address, &good, "").await.0, 401);
    assert_eq!(portal.requests(), 7);
    portal.stop().await;
}

#[tokio::test]
async fn pages_add_up_to_the_whole_list() {
    let (portal, _, token) = portal(700, 2, TODAY).await;
    let all = pages(portal.address, &token, "size=1000&spec=slice&remove-status=0").await;
    let truth = drawn(700, 2).truth(TODAY);
    assert_eq!(ids(&all).len() as u64, truth.dossiers_sent);
    assert!(all.len() as u64 > truth.dossiers_sent, "nothing is listed twice");
    assert_eq!(pages(portal.address, &token, "size=37").await, all);
    // Months of acceptance with offsets as iGate writes them, then the dossiers that were never accepted.
    let mut found = BTreeSet::new();
    let mut count = 0;
    let mut month = date(2025, 3, 1);
    while month <= TODAY {
        let next = month.last_of_month().tomorrow().expect("in the calendar");
        let query = format!(
            "size=50&accepted-from={month}T00:00:00.000%2B0700&accepted-to={}T16:59:59.999Z",
            month.last_of_month()
        );
        let records = pages(portal.address, &token, &query).await;
        count += records.len();
        found.extend(ids(&records));
        month = next;
    }
    let waiting: Vec<_> = all.iter().filter(|record| record["acceptedDate"].is_null()).cloned().collect();
    // The older copy of a dossier that is listed twice may lack the acceptance.
    let unaccepted = ids(&waiting).len();
    assert!(unaccepted > 0 && count <= all.len());
    found.extend(ids(&waiting));
    assert_eq!(found, ids(&all));
    portal.stop().await;
}

#[tokio::test]
async fn ranges_are_inclusive_in_every_offset() {
    let (portal, _, token) = portal(60, 3, TODAY).await;
    let all = pages(portal.address, &token, "size=1000").await;
    let record = all.iter().find(|record| record["returnedDate"].is_string()).expect("something was returned");
    let date = record["returnedDate"].as_str().expect("checked above");
    let plus = date.replace('+', "%2B");
    for written in [date.to_owned(), plus, date.replace("+0000", "Z")] {
        let query = format!("size=10&result-returned-from={written}&result-returned-to={written}");
        assert!(ids(&pages(portal.address, &token, &query).await).contains(record["id"].as_str().expect("has an id")));
    }
    let (status, slice) = search(portal.address, &token, "accepted-from=2030-01-01T00:00:00.000Z").await;
    assert_eq!((status, &slice["last"], &slice["empty"]), (200, &Value::from(true), &Value::from(true)));
    assert_eq!(search(portal.address, &token, "accepted-from=yesterday").await.0, 400);
    portal.stop().await;
}

#[tokio::test]
async fn the_day_can_be_changed_and_the_newer_copy_comes_last() {
    let (portal, day, token) = portal(2500, 4, date(2025, 12, 1)).await;
    let early = pages(portal.address, &token, "size=1000").await;
    day.set(TODAY);
    let late = pages(portal.address, &token, "size=1000").await;
    assert!(ids(&early).is_subset(&ids(&late)) && ids(&early).len() < ids(&late).len());
    let mut copies: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for record in &late {
        copies.entry(record["id"].as_str().expect("has an id")).or_default().push(record);
    }
    let twice: Vec<_> = copies.values().filter(|copies| copies.len() == 2).collect();
    assert!(twice.iter().any(|copies| copies[0] == copies[1]));
    assert!(twice.iter().any(|copies| copies[0] != copies[1]));
    let dates = ["acceptedDate", "completedDate", "returnedDate"];
    for pair in twice {
        let filled = |record: &Value| dates.iter().filter(|name| record[**name].is_string()).count();
        assert!(filled(pair[0]) <= filled(pair[1]), "{pair:?}");
    }
    portal.stop().await;
}

#[tokio::test]
async fn the_portal_stays_on_loopback() {
    let bind = SocketAddr::from(([0, 0, 0, 0], 0));
    let refused = serve(Arc::new(drawn(5, 5)), bind, SimulatedDay::new(TODAY)).await;
    assert!(matches!(refused, Err(SimulatorError::NotLoopback { .. })));
}
