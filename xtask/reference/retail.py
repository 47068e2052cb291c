import csv,lzma,collections,decimal,sys
D=decimal.Decimal
rows=list(csv.DictReader(lzma.open('../shared/datasets/uci-online-retail.csv.xz','rt',encoding='utf-8')))
print(len(rows), sum(int(r['Quantity'])<0 for r in rows))
c=collections.Counter(tuple(r.values()) for r in rows); print('repeated',sum(v-1 for v in c.values()))
def pence(r): return int((D(r['Quantity'])*D(r['UnitPrice'])*100).quantize(D(1),rounding=decimal.ROUND_HALF_UP))
net=collections.Counter();units=collections.Counter();month=collections.Counter();country=collections.Counter();cust={}
docs=collections.OrderedDict()
prec=set()
for r in rows:
    p=pence(r);inv=r['InvoiceNo'];docs.setdefault(inv,[]).append(r)
    net['all']+=p; net['C' if inv.startswith('C') else 'N']+=p
    month[r['InvoiceDate'][:7]]+=p; country[r['Country']]+=p
    units[inv]+=int(r['Quantity']); prec.add(len(r['UnitPrice'].split('.')[-1]))
print(net, prec)
orders=[i for i in docs if not i.startswith('C')]
print(len(docs),len(orders),len(docs)-len(orders))
good=[i for i in orders if units[i]>0]; print('orders',len(good), 'zero-unit', sum(units[i]==0 for i in orders))
print('customers',len({r['CustomerID'] for i in good for r in docs[i] if r['CustomerID']}))
print('multi-date docs',sum(len({r['InvoiceDate'] for r in v})>1 for v in docs.values()),'multi-cust',sum(len({r['CustomerID'] for r in v})>1 for v in docs.values()),'multi-country',sum(len({r['Country'] for r in v})>1 for v in docs.values()), 'day-spread', sum(len({r['InvoiceDate'][:10] for r in v})>1 for v in docs.values()))
print('multi-month', sum(len({r['InvoiceDate'][:7] for r in v})>1 for v in docs.values()))
print(dict(sorted(month.items())))
print(dict(country.most_common(40)))
print(min(r['InvoiceDate'] for r in rows),max(r['InvoiceDate'] for r in rows))
print('gross', sum(pence(r) for i in orders for r in docs[i]), max(len(v) for v in docs.values()))
print(collections.Counter(i[0] for i in docs if not i[0].isdigit()))
