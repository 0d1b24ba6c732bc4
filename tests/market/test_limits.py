"""Eight processes against tight limits, some killed on the way: nothing exceeded, sold twice or left over."""

from benchmarks.limits import run


async def test_eight_processes_with_crashes_exceed_no_limit_and_leave_nothing_behind(database_url):
    ran = await run(database_url, 3000, processes=8, kills=3)
    assert ran.findings == []
    assert ran.leads >= 3000
    assert ran.sales > 1000
