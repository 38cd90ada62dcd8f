"""Values with names and limits that nothing may exceed: no rules, no I/O, nothing imported from the
house.
"""
