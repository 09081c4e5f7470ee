//! The sandbox over real HTTP: each file is one feature of one of the two services.

mod client;
mod dynamics_batch;
mod dynamics_csdl;
mod dynamics_definitions;
mod dynamics_filter;
mod dynamics_functions;
mod dynamics_lookups;
mod dynamics_metadata;
mod dynamics_multi_select;
mod dynamics_opportunities;
mod dynamics_paging;
mod dynamics_rows;
mod dynamics_types;
mod dynamics_writes;
mod dynamics_writes_refused;
mod faults;
mod gainsight_metadata;
mod gainsight_objects;
mod gainsight_opportunities;
mod gainsight_people;
mod gainsight_query;
mod gainsight_users;
mod rate_windows;
mod sign_in;
mod world;
mod world_opportunities;
