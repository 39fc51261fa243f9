-- After everything the jobs call exists.
select ec.setup_cron();
