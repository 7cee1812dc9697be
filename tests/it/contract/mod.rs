//! What older clients and operators rely on. Row by row: `rows.md` is the list, `rows` checks it, and others are tests of
//! rows that no other file shows. As a whole: every address (`routes`), what holds for all of them (`rules`, `cors`), and
//! scripts as they are (`recipes`).

mod cors;
mod messages;
mod recipes;
mod routes;
mod rows;
mod rules;
mod storage;
