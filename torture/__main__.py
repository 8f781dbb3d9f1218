import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "torture.settings"
import django
django.setup()
import time, tempfile, json
from pathlib import Path
from torture.world import Databases
from torture.plan import plan
from torture.running import in_a_process, surroundings
folder = Path(tempfile.mkdtemp(prefix="torture-", dir="/dev/shm"))
d = Databases(folder)
t=time.time(); d.make_template(); print("template", time.time()-t)
surroundings()
for a in sys.argv[1:]:
    point, fault, seed = a.split("/")
    t=time.time()
    pid, fd = in_a_process(plan(point, fault, int(seed)), d, "r1")
    text = open(fd).read()
    _, st, ru = os.wait4(pid, 0)
    print(a, st, "wall %.2f cpu %.2f" % (time.time()-t, ru.ru_utime+ru.ru_stime), text[:6000].replace("\\n","\n"))
print(folder)
