/* The reference model in Promela, as it came with the project's anchors (its semantics: README.md beside this file).
   Checked by SPIN in the same run as our own engines: peak bench prove. */
/* PT-ref in Promela: one process, one atomic step per transition => state count comparable with TLC. -DN= -DQ= */
#ifndef N
#define N 1
#endif
#ifndef Q
#define Q 3
#endif
#define INIT 0
#define POK 1
#define PFAIL 2
#define DRY 3
#define LIVEA 4
#define STOPPING 5
#define STOPPED 6
#define ERR 7
#define CREATED 0
#define PNEW 1
#define ACKED 2
#define PART 3
#define FILLED 4
#define PCXL 5
#define CANCELED 6
#define REJ 7
#define EXP 8
typedef Ord { byte qty; byte st; byte loc; byte bst; byte fil; byte out; byte inm; byte inq };
Ord o[N];
byte s = INIT;
bool live = false;
hidden byte i; hidden byte x;
bool setup = false;
#define ACT (s==DRY || s==LIVEA)
#define drained(k) ((o[k].st==CREATED||o[k].st==FILLED||o[k].st==CANCELED||o[k].st==REJ||o[k].st==EXP) && o[k].out==0 && o[k].inm==0)
#if N==1
#define ALLDRAINED drained(0)
#elif N==2
#define ALLDRAINED (drained(0)&&drained(1))
#else
#define ALLDRAINED (drained(0)&&drained(1)&&drained(2))
#endif
inline chk(k) {
  assert(o[k].fil <= o[k].qty);
  assert(!(o[k].out==0 && o[k].inm==0) || o[k].loc==o[k].fil);
  assert(o[k].st!=FILLED || o[k].loc==o[k].qty);
}
active proctype M() {
  atomic { i=0; do :: i<N -> select(x : 1 .. Q); o[i].qty=x; i++ :: else -> break od; i=0; x=0; setup=true }
  do
  :: d_step{ s==INIT -> s=POK }
  :: d_step{ s==INIT -> s=PFAIL }
  :: d_step{ s==PFAIL -> s=INIT }
  :: d_step{ s==POK -> s=DRY }
  :: d_step{ s==POK && live -> s=LIVEA; assert(live) }
  :: d_step{ ACT -> s=STOPPING }
  :: d_step{ ACT || s==STOPPING -> s=ERR }
  :: d_step{ s==ERR -> s=STOPPING }
  :: d_step{ s==STOPPING && ALLDRAINED -> s=STOPPED }
  :: d_step{ s==STOPPED -> skip }
#define ORD(k) \
  :: d_step{ ACT && o[k].st==CREATED && o[k].out==0 -> o[k].st=PNEW; o[k].out=1; chk(k) } \
  :: d_step{ (ACT || s==STOPPING) && (o[k].st==ACKED||o[k].st==PART) && o[k].out==0 -> o[k].st=PCXL; o[k].out=2; chk(k) } \
  :: d_step{ o[k].out==1 && o[k].inm==0 && o[k].bst==0 -> o[k].out=0; o[k].bst=1; o[k].inm=1; chk(k) } \
  :: d_step{ o[k].out==1 && o[k].inm==0 && o[k].bst==0 -> o[k].out=0; o[k].bst=2; o[k].inm=2; chk(k) } \
  :: atomic{ o[k].bst==1 && o[k].inm==0 && o[k].fil<o[k].qty -> select(x : 1 .. (o[k].qty-o[k].fil)); o[k].fil=o[k].fil+x; o[k].inm=3; o[k].inq=x; x=0; \
       if :: o[k].fil==o[k].qty -> o[k].bst=2 :: else fi; chk(k) } \
  :: d_step{ o[k].out==2 && o[k].inm==0 && o[k].bst==1 -> o[k].out=0; o[k].bst=2; o[k].inm=4; chk(k) } \
  :: d_step{ o[k].out==2 && o[k].inm==0 && o[k].bst==2 -> o[k].out=0; chk(k) } \
  :: d_step{ o[k].bst==1 && o[k].inm==0 -> o[k].bst=2; o[k].inm=5; chk(k) } \
  :: d_step{ o[k].inm==1 -> o[k].st=ACKED; o[k].inm=0; chk(k) } \
  :: d_step{ o[k].inm==2 -> o[k].st=REJ; o[k].inm=0; chk(k) } \
  :: d_step{ o[k].inm==3 -> o[k].loc=o[k].loc+o[k].inq; o[k].inq=0; o[k].inm=0; \
       if :: o[k].loc==o[k].qty -> o[k].st=FILLED :: else -> if :: o[k].st==PCXL :: else -> o[k].st=PART fi fi; chk(k) } \
  :: d_step{ o[k].inm==4 -> o[k].st=CANCELED; o[k].inm=0; chk(k) } \
  :: d_step{ o[k].inm==5 -> o[k].st=EXP; o[k].inm=0; chk(k) }
  ORD(0)
#if N>1
  ORD(1)
#endif
#if N>2
  ORD(2)
#endif
  od
}
#ifdef LIVENESS
ltl drains { [] ((s==STOPPING) -> <> (s==STOPPED || s==ERR)) }
#else
ltl nolive { [] (setup -> (live || s!=LIVEA)) }
#endif
