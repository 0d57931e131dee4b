-- Calls whose receipts went before their rows could: free, summed, and older than their receipts were kept.
delete from late_usage where reservation_id in (
    select r.id from reservation r join usage_mark m on m.org_id = r.org_id and r.resolved_seq <= m.resolved_seq
    where r.state in ('released', 'expired') and not exists (select 1 from receipt where receipt.id = r.id));
delete from upstream_attempt where reservation_id in (
    select r.id from reservation r join usage_mark m on m.org_id = r.org_id and r.resolved_seq <= m.resolved_seq
    where r.state in ('released', 'expired') and not exists (select 1 from receipt where receipt.id = r.id));
delete from reservation_lot where reservation_id in (
    select r.id from reservation r join usage_mark m on m.org_id = r.org_id and r.resolved_seq <= m.resolved_seq
    where r.state in ('released', 'expired') and not exists (select 1 from receipt where receipt.id = r.id));
delete from reservation where id in (
    select r.id from reservation r join usage_mark m on m.org_id = r.org_id and r.resolved_seq <= m.resolved_seq
    where r.state in ('released', 'expired') and not exists (select 1 from receipt where receipt.id = r.id));
